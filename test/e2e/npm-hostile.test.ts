// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LockedNpm, NpmSourceDefinition } from "../../src/catalog/index.ts";
import { collectBytes } from "../../src/core/byte-stream.ts";
import { createHttpDispatcher } from "../../src/core/http-dispatcher.ts";
import type { ProgressEvent } from "../../src/core/operation.ts";
import { createMirrors, openToolSource, type SourceContext } from "../../src/sources/index.ts";
import { createFetcher } from "../../src/sources/fetcher.ts";
import {
  type ModuleMembers,
  type NpmRegistry,
  packModule,
  startNpmRegistry,
} from "../support/npm-registry.ts";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";

const TOOL = { name: "hello", binaries: ["hello"] };
const DEFINITION: NpmSourceDefinition = { source: "npm", package: "hello" };
const BIN = { bin: { hello: "./cli.js" } };
const SCRIPT = ["package/cli.js", "#!/usr/bin/env node\r\nconsole.log(1)\n"] as const;

let registry: NpmRegistry;
let folder: TemporaryFolder;
let context: SourceContext;
let notes: string[];

beforeEach(async () => {
  registry = await startNpmRegistry();
  folder = await makeFolder("npm");
  notes = [];
  context = contextIn("cache");
});

afterEach(async () => {
  await registry?.close();
  await folder?.remove();
});

describe("a tool of an npm registry", () => {
  test("is locked with all that it needs, without an address, and its program starts the image's Node.js", async () => {
    await publish({ dependencies: { words: "^1", "@a/b": "npm:words@2" } });
    await registry.publish("words", "1.5.0", { license: "MIT", bin: "words.js" }, [
      ["package/words.js", "#!/bin/sh\n"],
    ]);
    await registry.publish("words", "2.0.0", { licenses: [{ type: "MIT" }, { type: "X11" }] });
    const locked = await lock();
    expect(locked.modules.map(({ path, name, version, license }) => [path, name, version, license])).toEqual([
      ["node_modules/@a/b", "words", "2.0.0", "(MIT OR X11)"],
      ["node_modules/hello", "hello", "1.0.0", undefined],
      ["node_modules/words", "words", "1.5.0", "MIT"],
    ]);
    expect(JSON.stringify(locked)).not.toMatch(/https?:|127\.0\.0\.1/);
    const files = await textsOf(locked);
    expect(files.get("opt/hello/lib/node_modules/hello/cli.js")).toBe(
      "755 #!/usr/bin/node\nconsole.log(1)\n",
    );
    expect(files.get("opt/hello/lib/node_modules/words/words.js")).toBe("755 #!/bin/sh\n");
    expect(files.get("opt/hello/bin/hello")).toBe("-> ../lib/node_modules/hello/cli.js");
    expect(files.get("usr/local/bin/hello")).toBe("-> /opt/hello/bin/hello");
    expect(files.has("opt/hello/bin/words")).toBe(false);
  });

  test("is built from the cache when the registry is gone, and says so when it is in neither", async () => {
    await publish();
    const locked = await lock();
    registry.clear();
    expect((await textsOf(locked)).size).toBe(4);
    await expect(textsOf(locked, contextIn("other"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  test("keeps what its archive brings along, and leaves out what was built for other systems", async () => {
    await publish({ dependencies: { inner: "^1" }, bundleDependencies: ["inner"] }, [
      ["package/node_modules/inner/package.json", JSON.stringify({ name: "inner", version: "1.2.0" })],
      ["package/prebuilds/linux-x64/a.glibc.node", "x"],
      ["package/prebuilds/linux-x64/a.musl.node", "x"],
      ["package/prebuilds/win32-x64/a.node", "x"],
    ]);
    const locked = await lock();
    expect(locked.modules[0]?.bundled).toEqual([
      { path: "node_modules/inner", name: "inner", version: "1.2.0" },
    ]);
    const below = "opt/hello/lib/node_modules/hello/";
    const paths = [...(await textsOf(locked)).keys()].filter((path) => path.startsWith(below));
    expect(paths.map((path) => path.slice(below.length))).toEqual([
      "cli.js",
      "node_modules/inner/package.json",
      "package.json",
      "prebuilds/linux-x64/a.glibc.node",
    ]);
  });

  test("with an install script is refused, and taken with a note where its definition says so", async () => {
    await publish({ dependencies: { native: "1", gyp: "1" } });
    await registry.publish("native", "1.0.0", { scripts: { postinstall: "node fetch.js" } });
    await registry.publish("gyp", "1.0.0", {}, [["package/binding.gyp", "{}"]]);
    await expect(lock()).rejects.toMatchObject({
      code: "POLICY_REFUSED",
      message: expect.stringMatching(
        /"gyp" 1\.0\.0 \(node-gyp\), "native" 1\.0\.0 \(postinstall\)/,
      ) as string,
      hint: expect.stringContaining("ignoreScripts: [gyp, native]") as string,
    });
    const locked = await lock("*", context, { ...DEFINITION, ignoreScripts: ["gyp", "native"] });
    expect(locked.modules).toHaveLength(3);
    expect(notes.filter((note) => note.includes("is not run"))).toHaveLength(2);
  });

  test("is asked of the registry of its scope, with its token, which goes to no other host", async () => {
    const other = await startNpmRegistry();
    try {
      other.token = "s3cret";
      await publish({ dependencies: { "@corp/words": "1" } });
      await other.publish("@corp/words", "1.0.0");
      const settings = {
        "@corp:registry": `${other.url}/`,
        [`//${new URL(other.url).host}/:_authToken`]: "s3cret",
      };
      const inside = contextIn("scoped", settings);
      expect((await lock("*", inside)).modules).toHaveLength(2);
      expect(new Set(other.asked.map(({ authorization }) => authorization))).toEqual(
        new Set(["Bearer s3cret"]),
      );
      expect(new Set(registry.asked.map(({ authorization }) => authorization))).toEqual(new Set([undefined]));
      expect(registry.asked.map(({ path }) => path)).not.toContain("/@corp/words");
      const wrong = contextIn("wrong", {
        ...settings,
        [`//${new URL(other.url).host}/:_authToken`]: "wr0ng",
      });
      const failure = (await lock("*", wrong).catch((error: unknown) => error)) as Error;
      expect(failure).toMatchObject({ code: "DOWNLOAD_FAILED" });
      expect(`${failure.message} ${failure.stack}`).not.toContain("wr0ng");
    } finally {
      await other.close();
    }
  });

  test.each([
    ["that nobody published", "other", "*", "VERSION_NOT_FOUND"],
    ["in a version that is not there", "hello", "2.0.0", "VERSION_NOT_FOUND"],
    ["for another Node.js", "newer", "*", "PLATFORM_UNAVAILABLE"],
    ["for another CPU", "arm", "*", "PLATFORM_UNAVAILABLE"],
    ["whose dependency is in a repository", "git", "*", "NPM_DEPENDENCY_UNMET"],
    ["without a sha512", "weak", "*", "NPM_DEPENDENCY_UNMET"],
    ["without the program that is named", "bare", "*", "ARCHIVE_INVALID"],
  ])("%s is refused", async (_, name, range, code) => {
    await publish();
    await registry.publish("newer", "1.0.0", { engines: { node: ">=99" } });
    await registry.publish("arm", "1.0.0", { cpu: ["arm64"] });
    await registry.publish("git", "1.0.0", { dependencies: { a: "git+https://a:b@example.com/a.git" } });
    await registry.publish("bare", "1.0.0");
    await registry.publish("weak", "1.0.0", BIN, [SCRIPT]);
    const weak = registry.documents.get("weak")?.["versions"]?.["1.0.0"]?.["dist"] as Record<string, unknown>;
    weak["integrity"] = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    await expect(lock(range, context, { source: "npm", package: name })).rejects.toMatchObject({ code });
  });
});

describe("a registry that lies", () => {
  test("is not believed when an archive has other bytes than it said, in one line", async () => {
    await publish();
    registry.lies.set("hello-1.0.0.tgz", await packModule([["package/package.json", "{}"]]));
    const failure = (await lock().catch((error: unknown) => error)) as Error;
    expect(failure).toMatchObject({ code: "CHECKSUM_MISMATCH" });
    expect(failure.message).toMatch(
      /^"hello 1\.0\.0" has integrity "sha512-\S+" where "sha512-\S+" is expected$/,
    );
  });

  test("is not listened to without end", async () => {
    await publish();
    const locked = await lock();
    registry.lies.set("hello-1.0.0.tgz", "endless");
    await expect(textsOf(locked, contextIn("other"))).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
  });

  test.each<[string, ModuleMembers, string]>([
    ["climbs out of its folder", [["package/../../evil", "x"]], "ARCHIVE_UNSAFE"],
    ["is absolute", [["/etc/evil", "x"]], "ARCHIVE_UNSAFE"],
    ["is in another folder", [["other/evil", "x"]], "ARCHIVE_UNSAFE"],
    ["is in no folder", [["evil", "x"]], "ARCHIVE_UNSAFE"],
    ["is a link", [["package/a", { type: "symlink", linkname: "/etc/passwd" }]], "ARCHIVE_UNSAFE"],
    ["is a hard link", [["package/a", { type: "link", linkname: "package/package.json" }]], "ARCHIVE_UNSAFE"],
    ["is a pipe", [["package/a", { type: "fifo" }]], "ARCHIVE_UNSAFE"],
    ["comes twice", [["package/package.json", "{}"]], "ARCHIVE_UNSAFE"],
    ["differs in case only", [["package/Package.JSON", "{}"]], "ARCHIVE_UNSAFE"],
    [
      "has a folder that differs in case only",
      [
        ["package/a/b", ""],
        ["package/A/c", ""],
      ],
      "ARCHIVE_UNSAFE",
    ],
    [
      "is a folder and a file",
      [
        ["package/a", ""],
        ["package/a/b", ""],
      ],
      "ARCHIVE_UNSAFE",
    ],
    ["has a line end in its name", [["package/a\nb", ""]], "ARCHIVE_UNSAFE"],
  ])("has its archive refused when a file in it %s", async (_, members, code) => {
    await publish({}, members);
    await expect(lock()).rejects.toMatchObject({ code });
  });

  test("has an archive refused that is another package's", async () => {
    await publish({ dependencies: { words: "1" } });
    await registry.publish("words", "1.0.0");
    const versions = registry.documents.get("words")?.["versions"] ?? {};
    versions["1.0.0"] = { ...registry.documents.get("hello")?.["versions"]?.["1.0.0"], name: "words" };
    await expect(lock()).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: 'archive of "words 1.0.0" holds "hello 1.0.0"',
    });
  });
});

async function publish(
  fields: Readonly<Record<string, unknown>> = {},
  members: ModuleMembers = [],
): Promise<void> {
  await registry.publish("hello", "1.0.0", { ...BIN, ...fields }, [SCRIPT, ...members]);
}

function contextIn(name: string, settings: Readonly<Record<string, string>> = {}): SourceContext {
  const cacheDir = join(folder.path, name);
  const dispatcher = createHttpDispatcher();
  return {
    cacheDir,
    fetchFile: createFetcher({ cacheDir, dispatcher, now: readClock, longestDelay: 1 }),
    mirrors: createMirrors({
      wishes: { npm: registry.url },
      env: {},
      clients: { npmSettings: async () => settings },
    }),
    platforms: ["linux/amd64"],
    openBase: async () => ({
      suite: "trixie",
      packages: { "linux/amd64": [{ name: "nodejs", version: "20.19.2+dfsg-1", architecture: "amd64" }] },
    }),
    host: { os: "linux", arch: "amd64" },
    env: {},
    toolchains: [],
    now: readClock,
    workspaceDir: folder.path,
    onProgress: (event: ProgressEvent) => {
      if (event.type === "noted") notes.push(event.note);
    },
  };
}

function readClock(): Date {
  return new Date();
}

async function lock(range = "*", inside = context, definition = DEFINITION): Promise<LockedNpm> {
  const source = await openToolSource("npm");
  const { platforms } = await source.lockTool(definition, TOOL, { range }, inside);
  return platforms["linux/amd64"] as LockedNpm;
}

/** Content of files with the mode of programs, and targets of links, by path. */
async function textsOf(locked: LockedNpm, inside = context): Promise<ReadonlyMap<string, string>> {
  const entries = await (await openToolSource("npm")).materializeTool(locked, "linux/amd64", inside);
  const texts = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type === "symlink") texts.set(entry.path, `-> ${entry.target}`);
    if (entry.type !== "file") continue;
    const mode = entry.mode === 0o644 ? "" : `${entry.mode.toString(8)} `;
    texts.set(entry.path, `${mode}${Buffer.from(await collectBytes(entry.open())).toString()}`);
  }
  return texts;
}
