// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  applyBuild,
  type BuildContext,
  type BuildReport,
  describePlan,
  digestImageLock,
  IMAGE_LABELS,
  planBuild,
  writeImage,
} from "../../src/build/index.ts";
import { collectBytes } from "../../src/core/byte-stream.ts";
import {
  type ImageConfig,
  type LayoutStore,
  openLayoutStore,
  parseImageConfig,
  parseManifest,
} from "../../src/oci/index.ts";
import { readLayerEntries } from "../support/layer-entries.ts";
import { createTestSources, lockOf, programFor, type TestSources } from "../support/small-build.ts";

/** Refreshed by hand, and reviewed: a new digest here means that everybody's images change. */
const GOLDEN_INDEX = "sha256:483459d2a9c44a411eeaa9836f0a711bf2bcd479c9b2326c3c020c9f8949ec8f";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-build-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("a build", () => {
  test("gives the digest it always gave", async () => {
    const { report } = await build("golden");
    expect(report.images.map(({ index }) => index.digest)).toEqual([GOLDEN_INDEX]);
  });

  test("gives the same digest in another folder, under another umask and time zone", async () => {
    const [umask, zone] = [process.umask(0o077), process.env["TZ"]];
    process.env["TZ"] = "Pacific/Kiritimati";
    try {
      const { report } = await build(join("other", "place"));
      expect(report.images[0]?.index.digest).toBe(GOLDEN_INDEX);
    } finally {
      process.umask(umask);
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  test("makes nothing twice: the second run finds every layer, in well under a second", async () => {
    const { context, report } = await build("again");
    const before = await filesBelow(join(folder, "again"));
    const start = performance.now();
    const again = await applyBuild(planBuild(lockOf()), context);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(layersOf(again).every(({ cached }) => cached)).toBe(true);
    expect(layersOf(report).some(({ cached }) => cached)).toBe(false);
    expect(again.images[0]?.index).toEqual(report.images[0]?.index);
    expect(await filesBelow(join(folder, "again"))).toEqual(before);
  });

  test("moves one tool layer and the top when one tool changes", async () => {
    const { context, sources, report } = await build("bump");
    sources.programs.set("hello", programFor("hello", "2"));
    const bumped = await applyBuild(planBuild(lockOf({ hello: "2.0.0" })), context);
    const built = layersOf(bumped).filter(({ cached }) => !cached);
    expect(built.map(({ name }) => name)).toEqual(["hello", "top", "hello", "top"]);
    expect(bumped.images[0]?.index.digest).not.toBe(report.images[0]?.index.digest);
  });

  test("makes a layer anew whose blob has gone from the store, and gets the same", async () => {
    const { context, store, report } = await build("gone");
    const layer = layersOf(report).find(({ kind }) => kind === "tool");
    await rm(store.blobPath(layer?.digest ?? "sha256:"));
    const again = await applyBuild(planBuild(lockOf()), context);
    expect(again.images[0]?.index).toEqual(report.images[0]?.index);
    expect(layersOf(again).filter(({ cached }) => !cached)).not.toEqual([]);
  });

  test("says beforehand what it would do, and does nothing for it", async () => {
    const { context } = await open("dry");
    const plan = planBuild(lockOf());
    const planned = await describePlan(plan, context);
    const [layers] = planned.images[0]?.platforms.map(({ layers }) => layers) ?? [];
    expect(layers?.map(({ name, cached }) => [name, cached])).toEqual([
      ["base", false],
      ["hello", false],
      ["words", false],
      ["top", undefined],
    ]);
    expect(planned.images[0]?.reference).toBe("example.com/team/tooling:latest");
    expect(await readdir(join(folder, "dry", "cache")).catch(() => [])).toEqual([]);
  });
});

describe("an image", () => {
  test("runs as anybody, with a shell and without an entrypoint", async () => {
    const { config } = await platformOf("config");
    expect(config).toMatchObject({ architecture: "amd64", os: "linux", created: "1970-01-01T00:00:00Z" });
    expect(config.config).toMatchObject({ User: "toolbox", Cmd: ["bash"], WorkingDir: "/work" });
    expect(config.config).not.toHaveProperty("Entrypoint");
    expect(config.config?.Env).toEqual([
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=/home/toolbox",
      "KUBECONFIG=/home/toolbox/.kube/config:/root/.kube/config",
      "LANG=C.UTF-8",
    ]);
  });

  test("is valid: as many diffIDs, history lines and layers, and blobs of the promised size", async () => {
    const { config, manifest, store } = await platformOf("valid");
    expect(config.rootfs.diff_ids).toHaveLength(manifest.layers.length);
    expect(config.history?.filter(({ empty_layer: empty }) => empty !== true)).toHaveLength(
      manifest.layers.length,
    );
    for (const layer of manifest.layers) {
      expect((await stat(store.blobPath(layer.digest))).size).toBe(layer.size);
    }
  });

  test("tells its tools and its lock without a layer being pulled", async () => {
    const { manifest, config, store, report } = await platformOf("labels");
    const index = await store.fetchManifest(report.images[0]?.index ?? fail());
    const parsed = parseManifest(index);
    const annotations = parsed.kind === "index" ? parsed.index.annotations : undefined;
    expect(annotations).toMatchObject({
      "org.opencontainers.image.title": "Tools for tests",
      [IMAGE_LABELS.lockDigest]: digestImageLock(lockOf(), "tooling"),
    });
    expect(JSON.parse(annotations?.[IMAGE_LABELS.tools] ?? "")).toEqual([
      { name: "hello", version: "1.0.0", summary: "Says hello" },
      { name: "words", version: "1.0.0", summary: "Says words" },
    ]);
    expect(manifest.annotations).toEqual(annotations);
    expect(config.config?.Labels).toEqual(annotations);
  });

  test("has a top layer that completes the base's files and keeps what stood in them", async () => {
    const { manifest, store } = await platformOf("top");
    const top = await readLayerEntries(store, manifest.layers.at(-1) ?? fail());
    expect(top.get("etc/passwd")?.text).toBe(
      "root:x:0:0:root:/root:/bin/bash\ntoolbox:x:1000:1000:toolbox:/home/toolbox:/bin/bash\n",
    );
    expect(top.get("etc/shadow")).toMatchObject({
      text: "root:*:1::::::\ntoolbox:!:::::::\n",
      mode: 0o640,
      gid: 42,
    });
    expect(top.get("etc/nsswitch.conf")?.text).toBe("passwd: files unknown\ngroup: files unknown\n");
    expect(top.get("etc/bash.bashrc")?.text).toMatch(/^PS1='\$ '\n\[ ! -r \/etc\/toolbox\/bashrc \] .*\n$/);
    expect(top.get("etc/gitconfig")?.text).toBe("[safe]\n\tdirectory = /work\n");
    expect(top.get("var/lib/dpkg/status")?.text).toContain("Package: words-data\n");
    expect(top.get("home/toolbox")).toMatchObject({ type: "directory", mode: 0o1777 });
    expect(top.get("work")).toMatchObject({ type: "directory", mode: 0o1777 });
    expect(top.get("root")).toMatchObject({ type: "directory", mode: 0o711 });
    expect(top.get("usr/share/bash-completion/completions/hello")?.text).toContain("hello completion bash");
  });

  test("lists what is inside, with where it came from and the digest of each program", async () => {
    const { manifest, store } = await platformOf("inventory");
    const top = await readLayerEntries(store, manifest.layers.at(-1) ?? fail());
    const inventory = JSON.parse(top.get("etc/toolbox/manifest.json")?.text ?? "") as { tools: unknown[] };
    const sha256 = createHash("sha256").update(programFor("hello", "1")("linux/amd64")).digest("hex");
    expect(inventory).toMatchObject({ image: "tooling", platform: "linux/amd64" });
    expect(inventory.tools[0]).toMatchObject({
      name: "hello",
      binaries: [{ name: "hello", path: "/usr/local/bin/hello", sha256 }],
      source: { kind: "file", path: "bin/hello" },
    });
  });

  test("can be written into an OCI layout of its own", async () => {
    const { report, store } = await build("source");
    const target = join(folder, "written");
    await writeImage(report.images[0] ?? fail(), { kind: "oci", folder: target, tag: "one" }, store);
    const written = await openLayoutStore(target, { create: false });
    expect((await written.resolveManifest("one")).digest).toBe(report.images[0]?.index.digest);
  });
});

interface Built {
  readonly store: LayoutStore;
  readonly context: BuildContext;
  readonly sources: TestSources;
  readonly report: BuildReport;
}

async function open(name: string): Promise<Omit<Built, "report">> {
  const place = join(folder, name);
  await mkdir(place, { recursive: true });
  await writeFile(join(place, "unrelated"), "");
  const store = await openLayoutStore(join(place, "store"));
  const sources = createTestSources();
  return { store, sources, context: { store, cacheDir: join(place, "cache"), sources } };
}

async function build(name: string): Promise<Built> {
  const opened = await open(name);
  return { ...opened, report: await applyBuild(planBuild(lockOf()), opened.context) };
}

async function platformOf(name: string) {
  const built = await build(name);
  const { store, report } = built;
  const platform = report.images[0]?.platforms[0] ?? fail();
  const parsed = parseManifest(await store.fetchManifest(platform.manifest));
  const config: ImageConfig = parseImageConfig(await collectBytes(store.openBlob(platform.config)));
  if (parsed.kind === "index") throw new TypeError("a platform is no index");
  return { ...built, config, manifest: parsed.manifest };
}

function layersOf(report: BuildReport) {
  return report.images.flatMap(({ platforms }) => platforms.flatMap(({ layers }) => layers));
}

async function filesBelow(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const digests = files.map(
    async (file) =>
      `${file} ${createHash("sha256")
        .update(await readFile(file))
        .digest("hex")}`,
  );
  return (await Promise.all(digests)).sort();
}

function fail(): never {
  throw new TypeError("the build has made less than expected");
}
