// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LayoutStore, openLayoutStore } from "../../src/oci/index.ts";
import { type ImageRecipe, type LayerMember, putIndex, putLayeredImage } from "../support/layered-image.ts";
import {
  hasPrograms,
  makeFolder,
  outputOf,
  type ProgramResult,
  type TemporaryFolder,
} from "../support/programs.ts";
import { type RunningRegistry, runToolbox, serveRegistry } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

const MOTD: LayerMember = { name: "etc/motd", content: "hello\n" };
const IMAGE: ImageRecipe = { layers: [{ members: [MOTD] }], config: { Labels: { team: "blue" } } };

let folder: TemporaryFolder;
let store: LayoutStore;
beforeAll(async () => {
  folder = await makeFolder("diff");
  store = await openLayoutStore(join(folder.path, "images"));
  await putImage("one", IMAGE);
});
afterAll(async () => folder?.remove());

describe("two layouts that differ in one thing only:", () => {
  test.each<[string, ImageRecipe, readonly string[]]>([
    [
      "a byte",
      { ...IMAGE, layers: [{ members: [{ ...MOTD, content: "hellO\n" }] }] },
      [
        "~ etc/motd: content",
        "from byte 4 (0x4) on",
        "68 65 6c 6c>6f 0a  |hello.|",
        "68 65 6c 6c>4f 0a  |hellO.|",
      ],
    ],
    [
      "a time",
      { ...IMAGE, layers: [{ members: [{ ...MOTD, mtime: new Date(1000) }] }] },
      ["~ etc/motd: mtime 1970-01-01T00:00:00Z -> 1970-01-01T00:00:01Z"],
    ],
    [
      "a level of compression",
      { ...IMAGE, layers: [{ members: [MOTD], level: 1 }] },
      ["layer 1: same content, other compression", "the blobs differ", "from byte 28 (0x1c) on"],
    ],
    [
      "a label",
      { ...IMAGE, config: { Labels: { team: "red" } } },
      ['config config Labels team: "blue" -> "red"'],
    ],
    [
      "a name in a header",
      { ...IMAGE, layers: [{ members: [{ ...MOTD, gname: "staff" }] }] },
      ["the gname of etc/motd"],
    ],
  ])("%s", async (name, recipe, texts) => {
    const tag = name.replaceAll(" ", "-");
    await putImage(tag, recipe);
    const { code, stdout } = await diff("oci:images:one", `oci:images:${tag}`, "--files");
    for (const text of texts) expect(stdout).toContain(text);
    // Nothing else is told: a header, a platform, and one place.
    expect(stdout.match(/^ {2}\S/gm)).toHaveLength(name === "a label" ? 2 : 1);
    expect(code).toBe(1);
  });
});

test("the same image is the same, and costs no look at it", async () => {
  expect(await diff("oci:images:one", "oci:images:one")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/\nthe same\n$/),
  });
});

test.each([
  [["oci:nowhere:1", "oci:images:one"], 3],
  [["oci:images:one", "oci:images:none"], 3],
  [[`sha256:${"0".repeat(64)}`, "oci:images:one"], 3],
  [["oci:images:one"], 2],
  [["oci:images:one", "oci:images:one", "oci:images:one"], 2],
  [["oci:images:one", "docker-archive:none.tar"], 7],
  [["oci:images:one", "127.0.0.1:9/none"], 6],
])("trouble is told from a difference: %j ends with %i", async (words, code) => {
  expect((await diff(...words)).code).toBe(code);
});

test("without --files no layer is read, not even a damaged one", async () => {
  const image = await putImage("damaged", { layers: [{ members: [{ ...MOTD, content: "other" }] }] });
  const { layers } = JSON.parse(new TextDecoder().decode(await store.fetchManifest(image))) as {
    layers: readonly { digest: `sha256:${string}`; size: number }[];
  };
  const [layer] = layers;
  await writeFile(store.blobPath(layer?.digest ?? "sha256:"), new Uint8Array(layer?.size ?? 0));
  const { code, stdout, stderr } = await diff("oci:images:one", "oci:images:damaged");
  expect(stdout).toContain("layer 1: differs");
  expect(stderr).toContain("With --files");
  expect(code).toBe(1);
  const opened = await diff("oci:images:one", "oci:images:damaged", "--files");
  expect(opened.stderr).toMatch(/ARCHIVE_INVALID|DIGEST_MISMATCH/);
  expect(opened.code).toBe(4);
});

describe("--json", () => {
  test("gives all that the text says, and more", async () => {
    await putImage("json", { ...IMAGE, layers: [{ members: [{ ...MOTD, mode: 0o600 }] }] });
    const { code, stdout } = await diff("oci:images:one", "oci:images:json", "--files", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      same: false,
      from: { image: expect.stringMatching(/^oci:.*:one$/), digest: expect.stringMatching(/^sha256:/) },
      platforms: [
        {
          platform: "linux/amd64",
          kind: "changed",
          layers: [
            {
              kind: "changed",
              moved: false,
              from: { position: 0, diffID: expect.stringMatching(/^sha256:/), size: expect.any(Number) },
              files: [{ path: "etc/motd", aspects: ["mode"], from: { mode: 0o644 }, to: { mode: 0o600 } }],
            },
          ],
        },
      ],
    });
  });
});

describe("images that others made", () => {
  test.runIf(hasPrograms("umoci"))("by umoci: layers in its order, whiteouts, added layers", async () => {
    await mkdir(join(folder.path, "tree", "b"), { recursive: true });
    await writeFile(join(folder.path, "tree", "b", "c"), "one");
    await writeFile(join(folder.path, "tree", "b-c"), "two");
    await umoci("init", "--layout", "umoci");
    await umoci("new", "--image", "umoci:one");
    await umoci("insert", "--image", "umoci:one", "--tag", "two", "tree", "/tree");
    await umoci("insert", "--image", "umoci:two", "--tag", "three", "--whiteout", "/tree/b-c");
    const hidden = await diff("oci:umoci:two", "oci:umoci:three", "--files");
    expect(hidden.stdout).toContain("+ (hides tree/b-c)");
    const seen = await diff("oci:umoci:two", "oci:umoci:three", "--merged");
    expect(seen.stdout).toContain("what a container sees:\n    - tree/b-c, 3 B\n");
    // The same tree, in the order of the paths' bytes, as we write it.
    const members = ["tree/b-c", "tree/b/c"].map((name) => ({
      name,
      content: name.endsWith("/c") ? "1ne" : "two",
    }));
    await putImage("sorted", { layers: [{ members }] });
    const { stdout } = await diff("oci:umoci:two", "oci:images:sorted", "--files", "--json");
    const report = JSON.parse(stdout) as {
      platforms: { layers: { files: object[]; reordered?: string }[] }[];
    };
    const layer = report.platforms.flatMap(({ layers }) => layers).find(({ files }) => files !== undefined);
    expect(layer?.reordered).toBeDefined();
    expect(layer?.files).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ path: "tree", kind: "removed" }),
        expect.objectContaining({
          path: "tree/b/c",
          aspects: expect.arrayContaining(["content"]),
          content: expect.objectContaining({ offset: 0 }),
        }),
      ]),
    );
  });
});

describe("in a registry, an archive and a workspace", () => {
  let registry: RunningRegistry;
  beforeAll(async () => {
    registry = await serveRegistry(join(folder.path, "registry"));
  });
  afterAll(async () => registry?.stop());

  test("one platform of an index is compared with its copy elsewhere", async () => {
    const arm = await putLayeredImage(store, { ...IMAGE, architecture: "arm64" });
    await putIndex(store, [await putLayeredImage(store, IMAGE), arm], { tag: "both" });
    const remote = `${registry.host}/team/tools:1`;
    await copy("oci:images:both", remote);
    await copy("oci:images:both", "docker-archive:arm.tar", "--platform", "arm64");
    expect((await diff("oci:images:both", remote)).code).toBe(0);
    const { code, stdout } = await diff(remote, "docker-archive:arm.tar", "--platform", "arm64");
    expect(stdout).toContain("\nthe same\n");
    expect(code).toBe(0);
    expect((await diff(remote, "docker-archive:arm.tar")).stdout).toContain("linux/amd64  only in A");
  });

  test("a workspace's image is compared with what was published, tool by tool", async () => {
    const workspace = await makeWorkspace();
    const [base, published] = [`${registry.host}/team/base:1`, `${registry.host}/team/bundle:1`];
    const parts = ["amd64", "arm64"].map(async (architecture) =>
      putLayeredImage(store, { ...IMAGE, architecture }),
    );
    await putIndex(store, await Promise.all(parts), { tag: "base" });
    await copy("oci:images:base", base);
    try {
      await buildTools(workspace, base, "1.0.0");
      await copy(`oci:${workspace.store}`, published);
      await buildTools(workspace, base, "1.1.0");
      expect((await workspace.toolbox(["diff", "bundel", "bundle"])).stderr).toContain(
        'Did you mean "bundle"?',
      );
      const { code, stdout } = await workspace.toolbox(["diff", published, "bundle", "--quiet"]);
      expect(stdout).toMatch(/\ntools\n {2}two 1\.0\.0 -> 1\.1\.0, (?:same size|[+-]\d+ B)\n/);
      expect(stdout.match(/2 of 4 layers are the same/g)).toHaveLength(2);
      expect(stdout.match(/\(two\): differs/g)).toHaveLength(2);
      expect(stdout).toContain("bundle:latest in the local store");
      expect(code).toBe(1);
    } finally {
      await workspace.remove();
    }
  });
});

async function putImage(tag: string, recipe: ImageRecipe) {
  return await putLayeredImage(store, recipe, { tag });
}

function environment(): Record<string, string> {
  return { TOOLBOX_CACHE: join(folder.path, "cache"), TOOLBOX_STORE: join(folder.path, "store") };
}

async function diff(...words: readonly string[]): Promise<ProgramResult> {
  return await runToolbox(["diff", ...words], { cwd: folder.path, env: environment() });
}

async function copy(...words: readonly string[]): Promise<void> {
  const { code, stderr } = await runToolbox(["image", "copy", ...words], {
    cwd: folder.path,
    env: environment(),
  });
  if (code !== 0) throw new Error(stderr);
}

async function umoci(...words: readonly string[]): Promise<void> {
  await outputOf("umoci", [...words], { cwd: folder.path });
}

/** Two scripts on a base of one file, so that nothing is asked of a mirror. */
async function buildTools(workspace: SmallWorkspace, base: string, version: string): Promise<void> {
  await workspace.write("one", "#!/bin/sh\necho one\n");
  await workspace.write("two", `#!/bin/sh\necho two ${version}\n`);
  await workspace.write(
    "toolbox.yaml",
    `base: { image: "${base}" }\ntools:\n${fileTool("one", "1.0.0")}${fileTool("two", version)}images: { bundle: { tools: [one, two] } }\n`,
  );
  for (const verb of ["lock", "build"]) {
    const { code, stderr } = await workspace.toolbox([verb, "--quiet"]);
    if (code !== 0) throw new Error(stderr);
  }
}

function fileTool(name: string, version: string): string {
  return `  ${name}: { version: "${version}", source: file, path: ${name}, summary: Says ${name} }\n`;
}
