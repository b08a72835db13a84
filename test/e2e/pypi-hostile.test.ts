// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LockedPypi, PypiSourceDefinition } from "../../src/catalog/index.ts";
import { collectBytes } from "../../src/core/byte-stream.ts";
import { createHttpDispatcher } from "../../src/core/http-dispatcher.ts";
import { createMirrors, openToolSource, type SourceContext } from "../../src/sources/index.ts";
import { createFetcher } from "../../src/sources/fetcher.ts";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";
import {
  makeWheel,
  type MakeWheelOptions,
  type PythonIndex,
  startPythonIndex,
} from "../support/python-index.ts";

const TOOL = { name: "hello", binaries: ["hello"] };
const DEFINITION: PypiSourceDefinition = { source: "pypi", package: "Hello" };
const SCRIPTS = ["hello = hello:main"];
const INSTALLED = [
  { name: "python3", version: "3.13.5-1", architecture: "amd64" },
  { name: "libc6", version: "2.41-12", architecture: "amd64" },
];

let index: PythonIndex;
let folder: TemporaryFolder;
let context: SourceContext;

beforeEach(async () => {
  index = await startPythonIndex();
  folder = await makeFolder("pypi");
  context = contextIn("cache");
});

afterEach(async () => {
  await index?.close();
  await folder?.remove();
});

describe("a tool of a Python index", () => {
  test("is locked with all that it needs, without an address, and its program starts its function", async () => {
    publish("hello", "1.0", {
      scripts: SCRIPTS,
      metadata: ["Requires-Dist: words>=1", "Requires-Dist: gone; extra == 'x'"],
    });
    publish("words", "1.5", { scripts: ["words = words:main"] });
    publish("words", "2.0", { metadata: ["Requires-Python: >=4"] });
    const locked = await lock();
    expect(locked.wheels.map(({ name }) => name)).toEqual([
      "hello-1.0-py3-none-any.whl",
      "words-1.5-py3-none-any.whl",
    ]);
    expect(JSON.stringify(locked)).not.toMatch(/https?:|127\.0\.0\.1/);
    const files = await textsOf(locked);
    expect(files.get("opt/hello/bin/hello")).toBe(
      '#!/opt/hello/bin/python3 -I\nimport sys\n\nfrom hello import main\n\nif __name__ == "__main__":\n    sys.exit(main())\n',
    );
    expect(files.get("usr/local/bin/hello")).toBe("-> /opt/hello/bin/hello");
    expect(files.get("opt/hello/lib/python3.13/site-packages/words/__init__.py")).toContain("words 1.5");
    expect(files.has("opt/hello/bin/words")).toBe(false);
  });

  test("is built from the cache when the index is gone, and says so when it is in neither", async () => {
    publish("hello", "1.0", { scripts: SCRIPTS });
    const locked = await lock();
    index.files.clear();
    expect((await textsOf(locked)).size).toBeGreaterThan(5);
    const elsewhere = contextIn("other");
    await expect(textsOf(locked, elsewhere)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  test("asks for METADATA alone where the index offers it, and for no wheel that is not taken", async () => {
    publish("hello", "1.0", { scripts: SCRIPTS, metadata: ["Requires-Dist: words"] });
    publish("words", "1.0");
    const metadata = Buffer.from("Metadata-Version: 2.1\nName: words\nVersion: 2.0\nRequires-Dist: gone\n");
    publish("words", "2.0");
    const sha256 = createHash("sha256").update(metadata).digest("hex");
    index.attributes.set("words-2.0-py3-none-any.whl", `data-core-metadata="sha256=${sha256}"`);
    index.lies.set("words-2.0-py3-none-any.whl.metadata", metadata);
    expect((await lock()).wheels.map(({ version }) => version)).toEqual(["1.0", "1.0"]);
    expect(index.asked).not.toContain("/files/words-2.0-py3-none-any.whl");
  });

  test("keeps scripts of the wheel, with our interpreter, and the files of its data folder", async () => {
    publish("hello", "1.0", {
      files: {
        "hello-1.0.data/scripts/hello": { content: "#!python\nprint(1)\n", mode: 0o755 },
        "hello-1.0.data/scripts/hello.sh": { content: "#!/bin/sh\n", mode: 0o755 },
        "hello-1.0.data/data/share/hello.txt": "text",
        "hello-1.0.data/headers/hello.h": "int x;",
      },
    });
    const files = await textsOf(await lock());
    expect(files.get("opt/hello/bin/hello")).toBe("#!/opt/hello/bin/python3 -I\nprint(1)\n");
    expect(files.get("opt/hello/bin/hello.sh")).toBe("#!/bin/sh\n");
    expect(files.get("opt/hello/share/hello.txt")).toBe("text");
    expect([...files.keys()].filter((path) => path.endsWith(".h"))).toEqual([]);
  });

  test.each([
    ["that nobody published", "*", {}, "VERSION_NOT_FOUND"],
    ["in a version that is not there", "2.0.0", { "hello-1.0-py3-none-any.whl": "" }, "VERSION_NOT_FOUND"],
    ["that is source only", "*", { "hello-1.0.tar.gz": "" }, "PLATFORM_UNAVAILABLE"],
    ["for another CPU", "*", { "hello-1.0-py3-none-manylinux2014_aarch64.whl": "" }, "PLATFORM_UNAVAILABLE"],
  ])("%s is refused", async (_, range, files, code) => {
    for (const [name, content] of Object.entries(files)) index.files.set(name, Buffer.from(content));
    await expect(lock(range)).rejects.toMatchObject({ code });
  });

  test("with a dependency that is source only says who needs it", async () => {
    publish("hello", "1.0", { scripts: SCRIPTS, metadata: ["Requires-Dist: words>1"] });
    index.files.set("words-2.0.tar.gz", Buffer.from(""));
    await expect(lock()).rejects.toMatchObject({
      code: "PYTHON_DEPENDENCY_UNMET",
      message: expect.stringMatching(/only published as source.*"hello" 1\.0 wants "words>1"/) as string,
    });
  });

  test("whose definition names a program that it does not have is refused when it is locked", async () => {
    publish("hello", "1.0", { scripts: ["other = hello:main"] });
    await expect(lock()).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: expect.stringContaining('"hello"') as string,
    });
  });
});

describe("an index that lies", () => {
  test("is not believed when a wheel has other bytes than it said", async () => {
    publish("hello", "1.0", { scripts: SCRIPTS });
    index.lies.set(
      "hello-1.0-py3-none-any.whl",
      makeWheel("hello", "1.0", { files: { "hello/evil.py": "" } }),
    );
    await expect(lock()).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });

  test("is not listened to without end", async () => {
    publish("hello", "1.0", { scripts: SCRIPTS });
    const locked = await lock();
    index.lies.set("hello-1.0-py3-none-any.whl", "endless");
    const elsewhere = contextIn("other");
    await expect(textsOf(locked, elsewhere)).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
  });

  const other = '{"no": "metadata"}';
  test.each<[string, MakeWheelOptions, string]>([
    ["climbs out of its folder", { files: { "../../evil.py": "x" } }, "ARCHIVE_UNSAFE"],
    ["is absolute", { files: { "/etc/evil": "x" } }, "ARCHIVE_UNSAFE"],
    [
      "is a link",
      { files: { "hello/link": { content: "/etc/passwd", mode: 0o120777 & ~0o100000 } } },
      "ARCHIVE_UNSAFE",
    ],
    ["was changed", { tamper: (files) => files.set("hello/__init__.py", "evil") }, "ARCHIVE_INVALID"],
    ["is not in RECORD", { tamper: (files) => files.set("hello/evil.py", "evil") }, "ARCHIVE_INVALID"],
    ["is in RECORD only", { tamper: (files) => files.delete("hello/__init__.py") }, "ARCHIVE_INVALID"],
    ["would replace our interpreter", { files: { "hello-1.0.data/data/bin/python3": "x" } }, "PATH_CONFLICT"],
    [
      "is METADATA of something else",
      { tamper: (files) => files.set("hello-1.0.dist-info/METADATA", other) },
      "PYTHON_DEPENDENCY_UNMET",
    ],
    [
      "is METADATA and missing",
      { tamper: (files) => files.delete("hello-1.0.dist-info/METADATA") },
      "PYTHON_DEPENDENCY_UNMET",
    ],
  ])("has its wheel refused when a file in it %s", async (_, options, code) => {
    publish("hello", "1.0", { scripts: SCRIPTS, ...options });
    await expect(lock()).rejects.toMatchObject({ code });
  });

  test("has two wheels refused that hold different files at one path, and equal ones become one", async () => {
    publish("hello", "1.0", {
      scripts: SCRIPTS,
      metadata: ["Requires-Dist: words"],
      files: { "shared/__init__.py": "" },
    });
    publish("words", "1.0", { files: { "shared/__init__.py": "" } });
    expect(
      (await textsOf(await lock())).get("opt/hello/lib/python3.13/site-packages/shared/__init__.py"),
    ).toBe("");
    publish("words", "2.0", { files: { "shared/__init__.py": "x = 1" } });
    const locked = await lock("*", contextIn("other"));
    await expect(textsOf(locked, contextIn("other"))).rejects.toMatchObject({ code: "PATH_CONFLICT" });
  });
});

function publish(project: string, version: string, options: MakeWheelOptions = {}): void {
  index.files.set(`${project}-${version}-py3-none-any.whl`, makeWheel(project, version, options));
}

function contextIn(name: string): SourceContext {
  const cacheDir = join(folder.path, name);
  return {
    cacheDir,
    fetchFile: createFetcher({
      cacheDir,
      dispatcher: createHttpDispatcher(),
      now: readClock,
      longestDelay: 1,
    }),
    mirrors: createMirrors({ wishes: { pypi: index.url }, env: {}, clients: {} }),
    platforms: ["linux/amd64"],
    openBase: async () => ({ suite: "trixie", packages: { "linux/amd64": INSTALLED } }),
    host: { os: "linux", arch: "amd64" },
    env: {},
    toolchains: [],
    now: readClock,
    workspaceDir: folder.path,
  };
}

function readClock(): Date {
  return new Date();
}

async function lock(range = "*", inside = context): Promise<LockedPypi> {
  const source = await openToolSource("pypi");
  const { platforms } = await source.lockTool(DEFINITION, TOOL, { range }, inside);
  return platforms["linux/amd64"] as LockedPypi;
}

/** Content of files, and targets of links, by path. */
async function textsOf(locked: LockedPypi, inside = context): Promise<ReadonlyMap<string, string>> {
  const entries = await (await openToolSource("pypi")).materializeTool(locked, "linux/amd64", inside);
  const texts = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type === "file")
      texts.set(entry.path, Buffer.from(await collectBytes(entry.open())).toString());
    if (entry.type === "symlink") texts.set(entry.path, `-> ${entry.target}`);
  }
  return texts;
}
