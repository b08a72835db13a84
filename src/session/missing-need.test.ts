// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { emptyGrant } from "./credential-grant.ts";
import { describeMissingNeeds, describeUnreachable } from "./missing-need.ts";

const GRANT = { ...emptyGrant("kubeconfig"), needs: ["kubelogin"] };
const IMAGES = { small: { tools: ["kubectl"] }, cloud: { tools: ["kubectl", "oidc"] } };

describe("a program that a credential calls", () => {
  test("is no word worth when a tool of the image brings it", () => {
    const binaries = new Map([["kubelogin", "oidc"]]);
    expect(describeMissingNeeds([GRANT], { image: "cloud", images: IMAGES, binaries })).toEqual([]);
  });

  test("is named with the image that has it", () => {
    const binaries = new Map([["kubelogin", "oidc"]]);
    expect(describeMissingNeeds([GRANT], { image: "small", images: IMAGES, binaries })).toEqual([
      'kubeconfig signs in with "kubelogin", which no tool of image "small" brings; use --image cloud, which has it',
    ]);
  });

  test("is named with the tool to add when no image has it", () => {
    const images = { small: { tools: ["kubectl"] } };
    const known = describeMissingNeeds([GRANT], {
      image: "small",
      images,
      binaries: new Map([["kubelogin", "oidc"]]),
    });
    expect(known[0]).toMatch(/; add the tool "oidc" to the image$/);
    const unknown = describeMissingNeeds([GRANT], { image: "small", images, binaries: new Map() });
    expect(unknown[0]).toMatch(/; add the tool that has "kubelogin" to the image$/);
  });
});

describe("a server on this machine", () => {
  const grants = [{ ...emptyGrant("kubeconfig"), network: "host" as const }, emptyGrant("aws")];

  test.each([undefined, "host" as const])("is reached when the session's network is %s", (network) => {
    expect(describeUnreachable(grants, network)).toEqual([]);
  });

  test.each(["default", "none"] as const)("is not reached from network %s, and that is said", (network) => {
    expect(describeUnreachable(grants, network)).toEqual([
      `kubeconfig names a server on this machine, which network "${network}" does not reach; set it to "host"`,
    ]);
  });
});
