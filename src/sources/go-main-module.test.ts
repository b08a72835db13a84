// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeCompileFailure, describeGoFailure } from "./go-failure.ts";
import { formatMainModule, writeMainModule } from "./go-main-module.ts";
import { hashTree } from "./module-archive.ts";
import { fillTemplate, fillTemplates, versionValues } from "./version-template.ts";

describe("the main module that a tool is built from", () => {
  const module = { path: "tool.example/tool", version: "v1.2.3" };
  const file = {
    Go: "1.26.0",
    Godebug: [{ Key: "default", Value: "go1.26" }],
    Require: [
      { Path: "dep.example/a", Version: "v1.0.0" },
      { Path: "dep.example/b", Version: "v0.0.0", Indirect: true },
    ],
    Exclude: [{ Path: "dep.example/a", Version: "v1.1.0" }],
    Replace: [
      { Old: { Path: "dep.example/b" }, New: { Path: "./staging/b" } },
      {
        Old: { Path: "dep.example/c", Version: "v1.0.0" },
        New: { Path: "fork.example/c", Version: "v1.0.1" },
      },
      { Old: { Path: "dep.example/test" }, New: { Path: "../test" } },
    ],
  };

  test("requires, replaces and excludes what the tool does, with published modules for its folders", () => {
    expect(formatMainModule(module, file, { replace: { "dep.example/b": "v0.2.3" } })).toBe(`module toolbox

go 1.26.0
godebug default=go1.26
require tool.example/tool v1.2.3
require dep.example/a v1.0.0
require dep.example/b v0.0.0 // indirect
exclude dep.example/a v1.1.0
replace dep.example/b => dep.example/b v0.2.3
replace dep.example/c v1.0.0 => fork.example/c v1.0.1
`);
  });

  test("takes a folder from the copy that files were added to", () => {
    const recipe = { files: { "b/go.mod": "" }, replace: { "dep.example/b": "./b" } };
    expect(formatMainModule(module, file, recipe)).toContain("replace dep.example/b => ./module/b\n");
  });

  test("takes the module from a copy only where files are added to it", () => {
    expect(formatMainModule(module, { Go: "1.26.0" }, { files: { "ui/index.html": "" } })).toContain(
      "replace tool.example/tool v1.2.3 => ./module",
    );
  });
});

test.each([
  ["has a go.sum", "dep.example/a v1.0.0 h1:aaaa=\n"],
  ["depends on nothing and has none", undefined],
])("the sums of a module that %s are completed by its own", async (_, sums) => {
  const folder = await mkdtemp(join(tmpdir(), "toolbox-module-"));
  try {
    if (sums !== undefined) await writeFile(join(folder, "go.sum"), sums);
    const main = join(folder, "main");
    const module = { path: "tool.example/tool", version: "v1.2.3", folder } as Parameters<
      typeof writeMainModule
    >[1];
    await writeMainModule(main, module, { Go: "1.26.0" }, { moduleSum: "h1:bbbb=", goModSum: "h1:cccc=" });
    const own = "tool.example/tool v1.2.3 h1:bbbb=\ntool.example/tool v1.2.3/go.mod h1:cccc=\n";
    expect(await readFile(join(main, "go.sum"), "utf8")).toBe(`${sums ?? ""}${own}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a tree's hash is what the go command computes", () => {
  // The same two lines through crypto/sha256 of Go give this.
  const digests = new Map([
    ["xyz", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["abc", "cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34"],
  ]);
  expect(hashTree(digests)).toBe("h1:LSLqYe0gkb8EiCATdEvmpbRh73smLRgfcvRONXQ4dMQ=");
});

describe("templates", () => {
  const values = versionValues("1.34.4", { date: "2026-02-10T12:53:36Z" });

  test("are filled with what is known of a version", () => {
    expect(fillTemplate("v0.{{minor}}.{{ patch }}", values)).toBe("v0.34.4");
  });

  test("that use what is not known are left out", () => {
    expect(fillTemplates(["-X a={{version}}", "-X b={{commit}}", "-X c={{date}}"], values)).toEqual([
      "-X a=1.34.4",
      "-X c=2026-02-10T12:53:36Z",
    ]);
  });
});

describe("what a go command says", () => {
  test.each([
    [
      "go: x@v1 requires go >= 1.28.0 (running go 1.27.3; GOTOOLCHAIN=local)",
      "TOOLCHAIN_UNAVAILABLE",
      "Go 1.28.0",
    ],
    ["verifying x@v1: checksum mismatch\n\tSECURITY ERROR", "CHECKSUM_MISMATCH", "checksum database"],
    ["reading https://p/x/@v/v1.info: 404 Not Found", "VERSION_NOT_FOUND", "not known"],
    ["reading https://p/x/@v/v1.zip: 403 Forbidden", "VERSION_NOT_FOUND", "not offered"],
    ["dial tcp: lookup p: no such host", "NETWORK_UNREACHABLE", "cannot be reached"],
    ["write /tmp/x: no space left on device", "DISK_FULL", "no space left"],
    ["something else broke", "DOWNLOAD_FAILED", "something else broke"],
  ])("%j becomes %s", (output, code, message) => {
    const error = describeGoFailure("x@v1", output, "go1.27.3");
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(/\.$/);
  });

  test("of a compile becomes BUILD_FAILED with its last line that says something", () => {
    const error = describeCompileFailure("x@v1", "# x/pkg\nx.go:1:2: undefined: y\n\n", "go1.27.3");
    expect(error.code).toBe("BUILD_FAILED");
    expect(error.message).toBe('"x@v1" does not compile: x.go:1:2: undefined: y');
  });

  test("never shows a proxy's credentials", () => {
    const error = describeGoFailure("x@v1", "reading https://me:secret@p/x: strange", "go1.27.3");
    expect(`${error.message}${(error.cause as Error).message}`).not.toContain("secret");
  });
});
