// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { emptyGrant } from "./credential-grant.ts";
import { describeMissingNeeds } from "./missing-need.ts";

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
