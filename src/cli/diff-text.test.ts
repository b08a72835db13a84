// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LayerRecipe, putIndex, putLayeredImage } from "../../test/support/layered-image.ts";
import { IMAGE_LABELS, layerNameOf } from "../build/index.ts";
import { diffImages } from "../diff/index.ts";
import { createMemoryStore, type Descriptor, type MemoryStore } from "../oci/index.ts";
import { formatDiff } from "./diff-text.ts";
import { compareTools } from "./tool-weights.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-text-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const NAMES = { helm: "3.18.4", kubectl: "1.34.4", yq: "4.45.1" };
const BASE: LayerRecipe = {
  createdBy: "toolbox build: base",
  members: [
    { name: "etc", type: "directory" },
    { name: "etc/motd", content: "hello\n" },
    { name: "etc/old" },
    { name: "etc/shadow", mode: 0o640 },
    { name: "usr/bin/sh", type: "symlink", linkname: "dash" },
  ],
};

test("a comparison reads from coarse to fine", async () => {
  const store = createMemoryStore();
  const before = await put(store, NAMES, [
    BASE,
    toolLayer("helm", "3"),
    toolLayer("kubectl", "k"),
    toolLayer("yq", "y"),
  ]);
  const changed: LayerRecipe = {
    ...BASE,
    members: [
      { name: "etc", type: "directory", mode: 0o700 },
      { name: "etc/.wh.old" },
      { name: "etc/motd", content: "hello!\n" },
      { name: "etc/new", type: "link", linkname: "etc/motd" },
      { name: "etc/shadow", mode: 0o640, uid: 7, mtime: new Date("2026-01-02T03:04:05Z") },
      { name: "usr/bin/sh", type: "symlink", linkname: "bash" },
    ],
  };
  const after = await put(store, { helm: "3.19.0", jq: "1.7", kubectl: "1.34.4" }, [
    changed,
    toolLayer("helm", "a longer program"),
    toolLayer("jq", "j"),
    { ...toolLayer("kubectl", "k"), level: 1 },
  ]);
  expect(await textOf(store, before, after)).toMatchInlineSnapshot(`
    [
      "A  one  DIGEST",
      "B  two  DIGEST",
      "tools",
      "  helm 3.18.4 -> 3.19.0, +12 B",
      "  jq 1.7 added, +99 B",
      "  yq 4.45.1 removed, -99 B",
      "index annotations dev.toolbox.tools: …ersion":"3.18.4","summary":"helm"},{"name":"kubectl","version":"1.34.4","summary… -> …ersion":"3.19.0","summary":"helm"},{"name":"jq","version":"1.7","summary":"jq"},…",
      "linux/amd64",
      "  manifest: 1 change as above",
      "  config history 2: {"created_by":"toolbox build: jq"} added",
      "  config history 3: {"created_by":"toolbox build: yq"} removed",
      "  config: 1 change as above",
      "  layer 1 (base): differs, 185 B -> 217 B",
      "    DIGEST -> DIGEST",
      "    ~ etc: mode 0755 -> 0700",
      "    ~ etc/motd: content, 6 -> 7 bytes",
      "      from byte 5 (0x5) on",
      "      A 00000001  65 6c 6c 6f>0a  |ello.|",
      "      B 00000001  65 6c 6c 6f>21 0a  |ello!.|",
      "    + etc/new, another name of etc/motd",
      "    - etc/old, 0 B",
      "    + (hides etc/old)",
      "    ~ etc/shadow: owner 0:0 -> 7:0, mtime 1970-01-01T00:00:00Z -> 2026-01-02T03:04:05Z",
      "    ~ usr/bin/sh: target "dash" -> "bash"",
      "  layer 2 (helm): differs, 100 B -> 112 B",
      "    DIGEST -> DIGEST",
      "    ~ usr/local/bin/helm: content, 1 -> 16 bytes",
      "      from byte 0 (0x0) on",
      "      A 00000000 >33  |3|",
      "      B 00000000 >61 20 6c 6f 6e 67 65 72 20 70 72 6f 67 72 61 6d  |a longer program|",
      "  layer 3 (jq): only in B, 99 B",
      "    + usr/local/bin/jq, 1 B",
      "  layer 3 -> 4 (kubectl): same content, other compression, 102 B -> 107 B",
      "    DIGEST -> DIGEST",
      "    the blobs differ",
      "      from byte 10 (0xa) on",
      "      A 00000006  00 00 00 ff>ed cf 41 0a 80 20 10 85 e1 39 ca dc  |......A.. ...9..|",
      "      B 00000006  00 00 00 ff>2b 2d 2e d2 cf c9 4f 4e cc d1 4f ca  |....+-....ON..O.|",
      "  layer 4 (yq): only in A, 99 B",
      "    - usr/local/bin/yq, 1 B",
    ]
  `);
});

test("images that differ in nothing but a label say just that", async () => {
  const store = createMemoryStore();
  const layers = [BASE];
  const from = await putLayeredImage(store, { layers, config: { Labels: { team: "blue" } } });
  const to = await putLayeredImage(store, { layers, config: { Labels: { team: "red" } } });
  expect(await textOf(store, from, to)).toMatchInlineSnapshot(`
    [
      "A  one  DIGEST",
      "B  two  DIGEST",
      "linux/amd64",
      "  config config Labels team: "blue" -> "red"",
      "  1 of 1 layers are the same, 185 B",
    ]
  `);
});

test("layers of the same files say what else differs", async () => {
  const store = createMemoryStore();
  const layers: LayerRecipe[] = [
    { members: [{ name: "a", content: "x" }, { name: "b" }] },
    { members: [{ name: "c", content: "x" }] },
    { members: [{ name: "d", content: "x" }] },
  ];
  const others: LayerRecipe[] = [
    { members: [{ name: "b" }, { name: "a", content: "x" }] },
    { members: [{ name: "c", content: "x", uname: "ann" }] },
    { members: [{ name: "d", content: "x" }], level: 1 },
  ];
  const from = await putLayeredImage(store, { layers });
  const to = await putLayeredImage(store, { layers: others });
  expect(await textOf(store, from, to)).toMatchInlineSnapshot(`
    [
      "A  one  DIGEST",
      "B  two  DIGEST",
      "linux/amd64",
      "  layer 1: differs, 94 B -> 92 B",
      "    DIGEST -> DIGEST",
      "    files stand in another order, among them a",
      "  layer 2: differs, 84 B -> 85 B",
      "    DIGEST -> DIGEST",
      "    same files, another tar: the uname of c",
      "      from byte 265 (0x109) on",
      "      A 00000105  72 00 30 30>00 00 00 00 00 00 00 00 00 00 00 00  |r.00............|",
      "      B 00000105  72 00 30 30>61 6e 6e 00 00 00 00 00 00 00 00 00  |r.00ann.........|",
      "  layer 3: same content, other compression, 84 B -> 87 B",
      "    DIGEST -> DIGEST",
      "    the blobs differ",
      "      from byte 21 (0x15) on",
      "      A 00000011  30 33 31 51>60 30 00 03 74 da c0 c0 c0 c0 50 c1  |031Q\`0..t.....P.|",
      "      B 00000011  30 33 31 51>00 d1 06 06 06 e8 34 08 18 2a 80 29  |031Q......4..*.)|",
    ]
  `);
});

test("what a stranger wrote stays on its line", async () => {
  const store = createMemoryStore();
  const from = await putLayeredImage(store, {
    layers: [{ members: [{ name: "a\n\u001b[2Jb" }], createdBy: "x\ny" }],
  });
  const to = await putLayeredImage(store, { layers: [], config: { Labels: { "l\u001b": "v\u0007" } } });
  const lines = await textOf(store, from, to);
  expect(lines.join("")).not.toMatch(/\p{Cc}/u);
  expect(lines).toContain("    - a [2Jb, 0 B");
});

function toolLayer(tool: string, content: string): LayerRecipe {
  return {
    createdBy: `toolbox build: ${tool}`,
    members: [{ name: `usr/local/bin/${tool}`, content, mode: 0o755 }],
  };
}

async function put(
  store: MemoryStore,
  versions: Readonly<Record<string, string>>,
  layers: readonly LayerRecipe[],
): Promise<Descriptor> {
  const tools = Object.entries(versions).map(([name, version]) => ({ name, version, summary: name }));
  const annotations = { [IMAGE_LABELS.tools]: JSON.stringify(tools) };
  const image = await putLayeredImage(store, { layers, annotations, config: { Labels: annotations } });
  return await putIndex(store, [image], { annotations });
}

/** The lines without the digests. */
async function textOf(store: MemoryStore, from: Descriptor, to: Descriptor): Promise<readonly string[]> {
  const images = [
    { place: "one", source: store, root: from, close: async () => {} },
    { place: "two", source: store, root: to, close: async () => {} },
  ] as const;
  const diff = await diffImages(...images, { nameLayer: layerNameOf, files: { temporaryFolder: folder } });
  const lines = formatDiff({ images, diff, tools: compareTools(diff) });
  return lines.map((line) => line.replaceAll(/sha256:[0-9a-f]{64}/g, "DIGEST"));
}
