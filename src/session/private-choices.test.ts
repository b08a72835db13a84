// SPDX-License-Identifier: Apache-2.0
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { keepChoices, parseChoices, readChoices } from "./private-choices.ts";

describe("the choices of a private kubeconfig", () => {
  test("are its current context, and the namespace of each context", async () => {
    expect(await readChoices(configOf("dev", { dev: "shop", other: undefined }))).toEqual({
      context: "dev",
      namespaces: [
        ["dev", "shop"],
        ["other", ""],
      ],
    });
  });

  test.each(["", "just text", "a: [b", "contexts: 1"])("are none in %j", async (text) => {
    expect(await readChoices(text)).toMatchObject({ namespaces: [] });
  });

  test("are read back from JSON, and from nothing else", async () => {
    const choices = await readChoices(configOf("dev", { constructor: "shop" }));
    expect(parseChoices(JSON.stringify(choices))).toEqual(choices);
    for (const text of ["", "null", "[]", '{"namespaces":1}', '{"context":1,"namespaces":[1,["a"]]}'])
      expect(parseChoices(text)).toEqual({ namespaces: [] });
  });
});

describe("a kubeconfig that is made anew", () => {
  const HOST = configOf("dev", { dev: undefined, other: "shop" });

  test.each([
    ["keeps the context that was chosen in the copy", "dev", "other", "other"],
    ["follows the host that has switched since", "third", "other", "dev"],
    ["follows the host when nothing was chosen", "dev", "dev", "dev"],
    [
      "keeps a choice that the host has no longer, for an error instead of another cluster",
      "dev",
      "gone",
      "gone",
    ],
  ])("%s", async (_, was, now, expected) => {
    const kept = await keepChoices(HOST, { context: was, namespaces: [] }, { context: now, namespaces: [] });
    expect((parse(kept) as { "current-context": string })["current-context"]).toBe(expected);
  });

  test.each([
    ["keeps the namespace that was chosen in the copy", "shop", "front", "front"],
    ["keeps that it was taken back", "shop", "", ""],
    ["follows the host that has chosen since", "old", "front", "shop"],
  ])("%s", async (_, was, now, expected) => {
    const kept = await keepChoices(HOST, { namespaces: [["other", was]] }, { namespaces: [["other", now]] });
    expect(parse(kept)).toMatchObject({
      contexts: [{}, { name: "other", context: { namespace: expected } }],
    });
  });

  test("is the host's in all other things", async () => {
    const none = { context: "dev", namespaces: [] };
    expect(parse(await keepChoices(HOST, none, none))).toEqual(parse(HOST));
  });
});

function configOf(current: string, namespaces: Readonly<Record<string, string | undefined>>): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "local", cluster: { server: "https://127.0.0.1:6443" } }],
    users: [{ name: "ada", user: { token: "secret" } }],
    contexts: Object.entries(namespaces).map(([name, namespace]) => ({
      name,
      context: { cluster: "local", user: "ada", ...(namespace !== undefined && { namespace }) },
    })),
    "current-context": current,
  });
}
