// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as records from "../../scripts/catalog-records.mjs";
import * as results from "../../scripts/catalog-results.mjs";
import { readSource } from "./source-tree.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/write-catalog-table.mjs");

const lint = {
  name: "lint",
  summary: "House rules",
  homepage: "https://lint.example",
  sources: [{ source: "release" }, { source: "go" }],
};
const now = { definition: records.digestOf(lint), version: "1.4.0", source: "go" };
const passed = (passed: string): { size: number; passed: string } => ({ size: 7_820_468, passed });
const everywhere = { "linux/amd64": passed("2026-01-02"), "linux/arm64": passed("2026-01-02") };

const check = (platform: string, state: "passed" | "failed" | "not-run", more = {}): results.CheckAnswer => ({
  platform,
  name: "version",
  state,
  ...more,
});

test("docs/catalog.md and README show the tools of the catalog, and what is known of them", () => {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, "--check"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

test("the catalog has the 40 tools that were promised, and more", async () => {
  const definitions = await records.readDefinitions(join(import.meta.dirname, "../../catalog"));
  expect(definitions.length).toBeGreaterThanOrEqual(45);
  for (const { name } of definitions) expect(readSource("docs/catalog.md")).toContain(`\`${name}\``);
});

test("nothing is known of a tool that the catalog does not have", async () => {
  const folder = join(import.meta.dirname, "../../catalog");
  const names = (await records.readDefinitions(folder)).map(({ name }) => name);
  const known = await records.readRecords(join(folder, "checked.json"));
  expect(Object.keys(known).filter((name) => !names.includes(name))).toEqual([]);
  expect(records.formatRecords(known)).toBe(readSource("catalog/checked.json"));
});

describe("what is known of a tool", () => {
  test("is said of both platforms, with the source that was tried in bold", () => {
    expect(records.renderPage([lint], { lint: { ...now, platforms: everywhere } })).toContain(
      "| [`lint`](https://lint.example): House rules | 1.4.0 | release, **go** | 7.8 MB, passed 2026-01-02 | 7.8 MB, passed 2026-01-02 |",
    );
  });

  test("is said to be nothing where nothing is", () => {
    expect(records.renderPage([lint], {})).toContain(
      "| [`lint`](https://lint.example): House rules |  | release, go | not checked | not checked |",
    );
  });

  test("is said to be of an older definition", () => {
    const changed = { ...lint, sources: [{ source: "go" }] };
    expect(records.renderPage([changed], { lint: { ...now, platforms: everywhere } })).toContain(
      "passed 2026-01-02 with an older definition",
    );
  });

  test("outlives another order of a definition's keys and better words, and no change of what is tried", () => {
    const { sources, ...rest } = lint;
    expect(records.digestOf({ sources, ...rest, summary: "Rules" })).toBe(now.definition);
    expect(records.digestOf({ ...lint, sources: [{ source: "go" }] })).not.toBe(now.definition);
  });

  test("counts as checked only with the same definition, version and source, on both platforms", () => {
    const known = { ...now, platforms: everywhere };
    expect(records.isChecked(known, now)).toBe(true);
    expect(records.isChecked(undefined, now)).toBe(false);
    expect(records.isChecked(known, { ...now, version: "1.5.0" })).toBe(false);
    expect(records.isChecked(known, { ...now, source: "release" })).toBe(false);
    expect(records.isChecked({ ...now, platforms: { "linux/amd64": passed("2026-01-02") } }, now)).toBe(
      false,
    );
  });

  test("keeps the pass of the platform that did not run, but not that of another version", () => {
    const again = { "linux/amd64": passed("2026-03-04") };
    const known = { ...now, platforms: everywhere };
    expect(records.mergeRecord(known, now, again).platforms).toEqual({ ...everywhere, ...again });
    expect(records.mergeRecord(known, { ...now, version: "1.5.0" }, again).platforms).toEqual(again);
    expect(records.mergeRecord(undefined, now, {})).toEqual({ ...now, platforms: {} });
  });
});

describe("what a check came to", () => {
  const sizes = { "linux/amd64": 10, "linux/arm64": 20 };

  test("is the sum of the tool's own layers, without base and top", () => {
    const layers = [
      { kind: "base", size: 100 },
      { kind: "tool", size: 7 },
      { kind: "top", size: 1 },
    ];
    expect(results.layerSizes({ images: [{ platforms: [{ platform: "linux/amd64", layers }] }] })).toEqual({
      "linux/amd64": 7,
    });
  });

  test("is a failure when one check of one platform failed, with its reasons", () => {
    const more = { reasons: ["it ended with 1"], output: ["lint: no such rule"] };
    const answer = [check("linux/amd64", "passed"), check("linux/arm64", "failed", more)];
    const judged = results.judgeChecks({ results: answer }, sizes);
    expect(judged).toEqual({
      state: "failed",
      step: "test",
      platforms: {
        "linux/amd64": { state: "passed", size: 10, reasons: [] },
        "linux/arm64": {
          state: "failed",
          size: 20,
          reasons: ["version: it ended with 1", "  | lint: no such rule"],
        },
      },
    });
    expect(results.renderResults([{ name: "lint", ...judged }])).toContain(
      "    linux/arm64: version: it ended with 1\n    linux/arm64:   | lint: no such rule\n",
    );
  });

  test("is no pass of a platform where something could not run, and no failure either", () => {
    const reason = "there is no emulator";
    const answer = [check("linux/amd64", "passed"), check("linux/arm64", "not-run", { reason })];
    const { state, platforms } = results.judgeChecks({ results: answer }, sizes);
    expect(state).toBe("passed");
    expect(platforms["linux/arm64"]).toEqual({ state: "not run", size: 20, reasons: [reason] });
  });

  test("is nothing where nothing ran", () => {
    expect(results.judgeChecks({ results: [] }, {}).state).toBe("not run");
  });
});

test("a workspace has one tool in one image, on the base of all", () => {
  expect(results.workspaceText("jq")).toContain('tools: { "jq": "*" }\nimages:\n  "jq": { tools: ["jq"] }\n');
  expect(results.workspaceText()).toContain("tools: {}\nimages:\n  base: { tools: [] }\n");
});

test("README has a place for the number of tools", () => {
  expect(records.replaceCount("has [1 tools](docs/catalog.md), or", 61)).toBe(
    "has [61 tools](docs/catalog.md), or",
  );
  expect(() => records.replaceCount("none", 61)).toThrow("no place");
});
