// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { ToolingError } from "../core/error.ts";
import { loadCatalog, loadGoToolchains, openCatalog, parseToolDefinition } from "./load-catalog.ts";

const SHIPPED = fileURLToPath(new URL("../../catalog", import.meta.url));
const GOOD = `name: lint
summary: House rules
homepage: https://lint.example
license: MIT
binaries: [lint]
version: { args: [--version], contains: "{{version}}" }
examples:
  - { command: lint ., description: Check this folder }
sources:
  - { source: go, module: lint.example/lint }
`;

const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

describe("the catalog that ships", () => {
  test("holds the tools that were promised", async () => {
    const names = [...(await loadCatalog(SHIPPED)).keys()];
    for (const name of [
      "kubectl",
      "helm",
      "kustomize",
      "argocd",
      "k9s",
      "jq",
      "yq",
      "oras",
      "cosign",
      "kubectx",
      "kubens",
      "shellcheck",
      "shfmt",
      "yamllint",
      "openstack",
      "aws",
      "docker",
      "buildx",
      "dagger",
      "pandoc",
      "ansible",
      "pre-commit",
    ]) {
      expect(names).toContain(name);
    }
  });

  test("asks each tool for its version, and shows two or three uses of it", async () => {
    for (const { name, version, examples, binaries, summary } of (await loadCatalog(SHIPPED)).values()) {
      expect(version.contains, name).toContain("{{version}}");
      expect(examples.length, name).toBeGreaterThanOrEqual(2);
      expect(examples.length, name).toBeLessThanOrEqual(3);
      expect(
        examples.every(({ command }) => binaries.some((binary) => command.includes(binary))),
        name,
      ).toBe(true);
      expect(summary, name).not.toMatch(/\.$/);
    }
  });

  test("uses only template words that exist", async () => {
    const known = ["version", "major", "minor", "patch", "commit", "shortCommit", "date", "os", "arch"];
    for (const { name, sources } of (await loadCatalog(SHIPPED)).values()) {
      for (const [, word] of JSON.stringify(sources).matchAll(/\{\{\s*(\w+)\s*\}\}/g)) {
        expect(known, name).toContain(word);
      }
    }
  });

  test("pins toolchains for Linux and macOS, newest first", async () => {
    const toolchains = await loadGoToolchains(SHIPPED);
    for (const { sums } of toolchains) {
      expect(Object.keys(sums).toSorted()).toEqual([
        "darwin-amd64",
        "darwin-arm64",
        "linux-amd64",
        "linux-arm64",
      ]);
    }
    expect(toolchains.length).toBeGreaterThanOrEqual(2);
  });
});

describe("a definition that is wrong", () => {
  test.each([
    [
      "an unknown key",
      GOOD.replace("summary:", "sumary:"),
      'key "sumary" is unknown',
      2,
      1,
      'Did you mean "summary"?',
    ],
    [
      "an unknown key of a source",
      GOOD.replace("module:", "modul:"),
      'key "sources.0.modul" is unknown',
      10,
      19,
      'Did you mean "module"?',
    ],
    ["a wrong type", GOOD.replace("[lint]", "lint"), '"binaries" is not an array', 5, 11, undefined],
    ["an unknown source", GOOD.replace("source: go", "source: cargo"), "source", 10, undefined, undefined],
    [
      "a bad module path",
      GOOD.replace("lint.example/lint", "'../x'"),
      '"sources.0.module" is not a Go module path',
      10,
      27,
      undefined,
    ],
    [
      "a test whose file lies elsewhere",
      `${GOOD}tests:\n  - { name: x, command: [lint], files: { ../x: "" } }\n`,
      'key "tests.0.files.../x" is not a path below the folder of the test',
      12,
      42,
      undefined,
    ],
    [
      "a test that nothing can match",
      `${GOOD}tests:\n  - { name: x, command: [lint], matches: "(" }\n`,
      '"tests.0.matches" is not a regular expression',
      12,
      42,
      undefined,
    ],
    [
      "a test that names an exit code that there is not",
      `${GOOD}tests:\n  - { name: x, command: [lint], exitCode: 256 }\n`,
      '"tests.0.exitCode"',
      12,
      43,
      undefined,
    ],
    [
      "an unknown key of a test",
      `${GOOD}tests:\n  - { name: x, command: [lint], contians: y }\n`,
      'key "tests.0.contians" is unknown',
      12,
      33,
      'Did you mean "contains"?',
    ],
    ["a key written twice", `${GOOD}name: again\n`, "a key is written twice", 11, 1, undefined],
    ["no YAML", "name: [", "YAML is malformed", 1, undefined, undefined],
  ])("says where and what: %s", (_, text, message, line, column, hint) => {
    const error = failureOf(() => parseToolDefinition(text, "/catalog/lint.yaml"));
    expect(error.code).toBe("CATALOG_INVALID");
    expect(error.message).toContain(message);
    expect(error.position).toMatchObject({
      file: "/catalog/lint.yaml",
      line,
      ...(column === undefined ? {} : { column }),
    });
    if (hint !== undefined) expect(error.hint).toBe(hint);
  });

  test("names what is missing", () => {
    const error = failureOf(() => parseToolDefinition(GOOD.replace(/license: MIT\n/, ""), "lint.yaml"));
    expect(error.message).toBe('"license" is missing');
  });

  test("must stand in a file of its name", () => {
    const error = failureOf(() => parseToolDefinition(GOOD, "other.yaml"));
    expect(error.hint).toContain("lint.yaml");
  });

  test("alias bombs are refused", () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n`;
    expect(failureOf(() => parseToolDefinition(bomb, "lint.yaml")).code).toBe("CATALOG_INVALID");
  });
});

test("a folder of one's own is read by the same rules", async () => {
  const folder = await mkdtemp(join(tmpdir(), "catalog-"));
  folders.push(folder);
  await writeFile(join(folder, "lint.yaml"), GOOD);
  await writeFile(join(folder, "notes.txt"), "not a tool");
  expect([...(await loadCatalog(folder)).keys()]).toEqual(["lint"]);
});

test("a definition that nobody asks for is not read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "catalog-"));
  folders.push(folder);
  await writeFile(join(folder, "lint.yaml"), GOOD);
  await writeFile(join(folder, "broken.yaml"), "name: [");
  await writeFile(join(folder, "toolchains.yaml"), "toolchains: []");
  const catalog = await openCatalog(folder);
  expect([...catalog.keys()]).toEqual(["broken", "lint"]);
  expect(catalog.get("lint")?.summary).toBe("House rules");
  expect(catalog.get("lint")).toBe(catalog.get("lint"));
  expect(catalog.get("toolchains")).toBe(undefined);
  expect(catalog.get("../lint")).toBe(undefined);
  expect(catalog.has("broken")).toBe(true);
  expect(failureOf(() => catalog.get("broken")).code).toBe("CATALOG_INVALID");
});

test("a folder that is not there is a clear error", async () => {
  await expect(loadCatalog("/nowhere/catalog")).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
});

function failureOf(run: () => unknown): ToolingError {
  try {
    run();
  } catch (error) {
    if (error instanceof ToolingError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}
