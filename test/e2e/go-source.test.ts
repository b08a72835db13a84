// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadCatalog, type LockedGo } from "../../src/catalog/index.ts";
import { collectBytes } from "../../src/core/byte-stream.ts";
import type { Platform } from "../../src/core/platform.ts";
import { openToolSource, readGoDefaults, type SourceContext } from "../../src/sources/index.ts";
import { listMachineMirrors, openDebian } from "../support/debian-machine.ts";
import { openGoContext } from "../support/go-machine.ts";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";

const CATALOG = fileURLToPath(new URL("../../catalog", import.meta.url));
const TOOL = { name: "shfmt", binaries: ["shfmt"] };

let folders: readonly TemporaryFolder[];
let contexts: readonly SourceContext[];
let locked: LockedGo;

beforeAll(async () => {
  folders = [await makeFolder("go-first"), await makeFolder("go-second")];
  contexts = await Promise.all(folders.map(({ path }, index) => openGoContext(join(path, `cache ${index}`))));
  const definition = (await loadCatalog(CATALOG)).get("shfmt")?.sources.find(({ source }) => source === "go");
  if (definition === undefined) throw new Error("the catalog does not build shfmt");
  const { platforms } = await (
    await openToolSource("go")
  ).lockTool(definition, TOOL, { range: "3" }, contextAt(0));
  locked = platforms["linux/amd64"] as LockedGo;
});

afterAll(async () => {
  await Promise.all(folders.map(async ({ remove }) => await remove()));
});

describe("a Go tool", () => {
  test("is locked without any address, with the hashes of module and toolchain", () => {
    expect(locked.moduleSum).toMatch(/^h1:/);
    expect(Object.keys(locked.toolchainSums)).toHaveLength(4);
    expect(JSON.stringify(locked)).not.toMatch(/https?:/);
  });

  test.each(["linux/amd64", "linux/arm64"] as const)(
    "compiles for %s to the same bytes in two folders that share nothing",
    async (platform) => {
      const [first, second] = [await build(0, platform), await build(1, platform)];
      expect(digestOf(first)).toBe(digestOf(second));
    },
  );

  test("carries its module version and hash in its build information, and no path of this machine", async () => {
    const program = (await build(0, "linux/amd64")).toString("latin1");
    expect(program).toContain(`mod\t${locked.module}\t${locked.version}\t${locked.moduleSum}`);
    for (const { path } of folders) expect(program).not.toContain(path);
  });

  test("with files added to its module keeps its version, with the hash of what it now consists of", async () => {
    const said = "this shfmt was changed";
    const files = { "cmd/shfmt/added.go": `package main\n\nfunc init() { println("${said}") }\n` };
    const [first, second] = [
      await build(0, "linux/amd64", { ...locked, files }),
      await build(1, "linux/amd64", { ...locked, files }),
    ];
    expect(digestOf(first)).toBe(digestOf(second));
    const program = first.toString("latin1");
    expect(program).toContain(said);
    const [, sum] =
      new RegExp(`\\nmod\t${locked.module}\t${locked.version}\t(\\S*)\n(?!=>)`).exec(program) ?? [];
    expect(sum).toMatch(/^h1:[\w+/]{43}=$/);
    expect(sum).not.toBe(locked.moduleSum);
    for (const { path } of folders) expect(program).not.toContain(path);
  });

  test("comes from the cache the next time, and is compiled again when the cache was damaged", async () => {
    const good = await build(0, "linux/amd64");
    const builds = join(contextAt(0).cacheDir, "go-builds");
    for (const name of await readdir(builds)) {
      const program = join(builds, name, "program");
      await chmod(program, 0o755).then(
        () => writeFile(program, "damaged"),
        () => undefined,
      );
    }
    expect(digestOf(await build(0, "linux/amd64"))).toBe(digestOf(good));
  });

  test("whose module has another hash than the locked one is refused", async () => {
    const other = { ...locked, moduleSum: `h1:${"A".repeat(43)}=` };
    await expect(build(0, "linux/amd64", other)).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });

  test("whose toolchain has another hash than the locked one is refused", async () => {
    const toolchainSums = Object.fromEntries(
      Object.keys(locked.toolchainSums).map((host) => [host, `h1:${"A".repeat(43)}=`]),
    );
    await expect(build(0, "linux/amd64", { ...locked, toolchainSums })).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
    });
    expect(digestOf(await build(1, "linux/amd64"))).toBe(digestOf(await build(0, "linux/amd64")));
  });

  test("that is interrupted leaves nothing behind, and the next run compiles it", async () => {
    const stop = new AbortController();
    const fresh = { ...locked, ldflags: ["-s", "-w", "-X main.interrupted=1"] };
    const onProgress: SourceContext["onProgress"] = ({ type, what }) => {
      if (type === "started" && what.startsWith("compile")) stop.abort(new Error("enough"));
    };
    const stopped: SourceContext = { ...contextAt(0), signal: stop.signal, onProgress };
    const source = await openToolSource("go");
    await expect(source.materializeTool(fresh, "linux/amd64", stopped)).rejects.toThrow("enough");
    expect(await readdir(join(contextAt(0).cacheDir, "go", "work"))).toEqual([]);
    expect((await build(0, "linux/amd64", fresh)).subarray(0, 4).toString("latin1")).toBe("\x7fELF");
  });
});

test("a machine without a go command learns Go's mirror from Debian's package, without running it", async () => {
  if (listMachineMirrors().length === 0) return;
  const settings = await readGoDefaults(openDebian(join(folders[0]?.path ?? "", "defaults")));
  expect(Object.keys(settings)).toEqual(expect.arrayContaining(["GOPROXY", "GOSUMDB"]));
});

function contextAt(index: number): SourceContext {
  const context = contexts[index];
  if (context === undefined) throw new Error("no such context");
  return context;
}

async function build(index: number, platform: Platform, tool: LockedGo = locked): Promise<Buffer> {
  const entries = await (await openToolSource("go")).materializeTool(tool, platform, contextAt(index));
  const program = entries.at(-1);
  if (program?.type !== "file" || program.path !== "usr/local/bin/shfmt") throw new Error("no program");
  return Buffer.from(await collectBytes(program.open()));
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
