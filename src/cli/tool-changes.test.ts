// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ImageToolLine } from "./image-tools.ts";
import { describeNews, diffTools } from "./tool-changes.ts";

const line = (name: string, version: string): ImageToolLine => ({ name, version, summary: `Says ${name}` });

const lists = fc
  .dictionary(
    fc.constantFrom("helm", "jq", "k9s", "yq", "constructor", "__proto__"),
    fc.constantFrom("1", "2"),
  )
  .map((versions) => Object.entries(versions).map(([name, version]) => line(name, version)));

describe("diffTools", () => {
  test("names what was added, removed and updated, and leaves out what stayed", () => {
    const before = [line("helm", "3.18.4"), line("jq", "1.7"), line("kind", "0.29.0")];
    const after = [line("yq", "4.45.1"), line("jq", "1.7"), line("helm", "3.19.0")];
    expect(diffTools(before, after)).toEqual([
      { name: "helm", kind: "updated", from: "3.18.4", to: "3.19.0" },
      { name: "kind", kind: "removed", from: "0.29.0" },
      { name: "yq", kind: "added", to: "4.45.1" },
    ]);
  });

  test("carried out on the one list it gives the other, in any order", () => {
    fc.assert(
      fc.property(lists, lists, (before, after) => {
        const result = new Map(before.map(({ name, version }) => [name, version]));
        for (const { name, kind, from, to } of diffTools(before.toReversed(), after)) {
          expect(result.get(name)).toBe(from);
          if (kind === "removed") result.delete(name);
          else result.set(name, to ?? "");
        }
        expect(result).toEqual(new Map(after.map(({ name, version }) => [name, version])));
      }),
    );
  });

  test("is empty between equals, and turned round the other way", () => {
    fc.assert(
      fc.property(lists, lists, (before, after) => {
        expect(diffTools(before, before)).toEqual([]);
        const turned = diffTools(after, before).map(({ name, from, to }) => ({ name, from: to, to: from }));
        expect(diffTools(before, after).map(({ name, from, to }) => ({ name, from, to }))).toEqual(turned);
      }),
    );
  });
});

describe("describeNews", () => {
  const tools = diffTools([line("helm", "3.18.4")], [line("helm", "3.19.0")]);

  test("is the line that people read", () => {
    expect(describeNews("r/t:1", { releases: 2, tools, download: 14_000_000 })).toBe(
      "2 releases behind: helm 3.18.4 -> 3.19.0, +14.0 MB",
    );
  });

  test.each([
    [{ releases: 1, tools, download: 0 }, "1 release behind: helm 3.18.4 -> 3.19.0"],
    [{ tools: [], download: 500 }, "r/t:1 has moved: the same tools, +500 B"],
    [{ releases: 0, tools: undefined, download: 0 }, "r/t:1 has moved"],
    [
      {
        tools: diffTools(
          [],
          ["a", "b", "c", "d"].map((name) => line(name, "1")),
        ),
        download: 0,
      },
      "r/t:1 has moved: a 1 added, b 1 added, 2 more tools",
    ],
  ])("%j is %s", (news, text) => {
    expect(describeNews("r/t:1", news)).toBe(text);
  });
});
