// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ArchiveEntry, fileEntryOf } from "../../src/archive/index.ts";
import { applyBuild, type BuildContext, type ImageReport, planBuild } from "../../src/build/index.ts";
import { createBaseOpener } from "../../src/build/lock/index.ts";
import { collectBytes } from "../../src/core/byte-stream.ts";
import { type LayoutStore, openLayoutStore, parseImageConfig, parseManifest } from "../../src/oci/index.ts";
import type { LockedBase, Lockfile } from "../../src/workspace/index.ts";
import { readLayerEntries } from "../support/layer-entries.ts";
import { createTestSources, lockOf } from "../support/small-build.ts";

const REFERENCE = "registry.test/team/tooling";
const RELEASE = 'NAME="Debian GNU/Linux"\nVERSION_CODENAME=trixie\n';
const BASH = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-image-base-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("a base image", () => {
  test("is Debian when its layers say so: the suite, and what is installed on each platform", async () => {
    const { base, store } = await buildBase("debian", [fileEntryOf("usr/lib/os-release", RELEASE)]);
    const { suite, packages } = (await openBase(base, store)) ?? fail();
    expect(suite).toBe("trixie");
    expect(packages["linux/amd64"]).toMatchObject([
      { name: "bash", version: "5.2" },
      { name: "words-data", version: "1" },
    ]);
    // The stanza of the made-up base is amd64's on both platforms.
    expect(packages["linux/arm64"]).toMatchObject([{ name: "words-data", architecture: "all" }]);
  });

  test("may keep a stanza per package instead of a database, as images without dpkg do", async () => {
    const parts = [
      fileEntryOf("etc/os-release", 'VERSION_CODENAME="bookworm"\n'),
      fileEntryOf("var/lib/dpkg/status.d/libc6", "Package: libc6\nArchitecture: amd64\nVersion: 2.36\n"),
      fileEntryOf("var/lib/dpkg/status.d/libc6.md5sums", "0 lib/libc.so.6\n"),
    ];
    const { base, store } = await buildBase("parts", parts, { database: false, tools: ["hello"] });
    const { suite, packages } = (await openBase(base, store)) ?? fail();
    expect(suite).toBe("bookworm");
    expect(packages["linux/amd64"]).toMatchObject([{ name: "libc6", version: "2.36" }]);
  });

  test("that is not Debian, or does not say which, cannot be what its packages are laid on", async () => {
    const nameless = await buildBase("nameless", []);
    await expect(openBase(nameless.base, nameless.store)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringContaining("has no VERSION_CODENAME"),
    });
    const release = [fileEntryOf("usr/lib/os-release", RELEASE)];
    const other = await buildBase("other", release, { database: false, tools: ["hello"] });
    await expect(openBase(other.base, other.store)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: `base image "${REFERENCE}" has no dpkg database for linux/amd64`,
      hint: expect.stringContaining("Choose a Debian image as base"),
    });
  });

  test("is read when a tool asks, and once", async () => {
    const { base, store } = await buildBase("once", [fileEntryOf("usr/lib/os-release", RELEASE)]);
    let opened = 0;
    const openImage = async (): Promise<LayoutStore> => {
      opened += 1;
      return store;
    };
    const open = createBaseOpener(base, { platforms: ["linux/amd64"], openImage }) ?? fail();
    expect(opened).toBe(0);
    await Promise.all([open(), open()]);
    expect(opened).toBe(1);
  });
});

describe("an image on a base image", () => {
  test("has the base's layers as they are, then the tools, and a database that goes on from the base's", async () => {
    const { base, store, image } = await buildBase("below", [fileEntryOf("usr/lib/os-release", RELEASE)]);
    const { context, store: own } = await open("above", store);
    const lock = lockOf();
    const words = lock.tools["words"] ?? fail();
    const more = { ...words, name: "more" };
    const report = await applyBuild(
      planBuild({ ...lock, base, tools: { more }, images: { above: { tools: ["more"] } } }),
      context,
    );
    const platforms = report.images[0]?.platforms ?? [];
    expect(platforms.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
    for (const [index, { manifest, config: configBlob }] of platforms.entries()) {
      const parsed = parseManifest(await own.fetchManifest(manifest));
      if (parsed.kind === "index") throw new TypeError("a platform is no index");
      const { layers } = parsed.manifest;
      const below = image.platforms[index]?.layers.map(({ digest }) => digest) ?? [];
      expect(layers.map(({ digest }) => digest).slice(0, below.length)).toEqual(below);
      expect(layers).toHaveLength(below.length + 2);
      for (const layer of layers) expect(await own.hasBlob(layer)).toBe(true);
      const config = parseImageConfig(await collectBytes(own.openBlob(configBlob)));
      expect(config.rootfs.diff_ids).toHaveLength(layers.length);
      expect(config.config).toMatchObject({ User: "toolbox", Cmd: ["bash"] });
      const top = await readLayerEntries(own, layers.at(-1) ?? fail());
      expect(top.get("etc/toolbox/manifest.json")?.text).toContain('"image": "above"');
    }
  });

  test("whose packages stand apart gets one database of all", async () => {
    const stanza = "Package: libc6\nArchitecture: amd64\nVersion: 2.36\n";
    const parts = [fileEntryOf("var/lib/dpkg/status.d/libc6", stanza)];
    const { base, store } = await buildBase("apart", parts, { database: false, tools: ["hello"] });
    const { context, store: own } = await open("on-apart", store);
    const lock = lockOf();
    const report = await applyBuild(
      planBuild({ ...lock, base, images: { above: { tools: ["words"] } } }),
      context,
    );
    const [platform] = report.images[0]?.platforms ?? [];
    const parsed = parseManifest(await own.fetchManifest(platform?.manifest ?? fail()));
    if (parsed.kind === "index") throw new TypeError("a platform is no index");
    const top = await readLayerEntries(own, parsed.manifest.layers.at(-1) ?? fail());
    expect(top.get("var/lib/dpkg/status")?.text).toMatch(
      /^Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2\.36\n\nPackage: words-data\n/,
    );
  });
});

interface BaseOptions {
  /** Absent: yes. */
  readonly database?: boolean;
  /** Absent: all. */
  readonly tools?: readonly string[];
}

interface BuiltBase {
  readonly base: LockedBase & { readonly kind: "image" };
  readonly store: LayoutStore;
  readonly image: ImageReport;
}

/** An image of our own making, locked as somebody's base. */
async function buildBase(
  name: string,
  extra: readonly ArchiveEntry[],
  { database = true, tools = ["hello", "words"] }: BaseOptions = {},
): Promise<BuiltBase> {
  const { context, store } = await open(name);
  const { sources } = context;
  const status = sources.base.findIndex(({ path }) => path === "var/lib/dpkg/status");
  sources.base.splice(status, 1, ...(database ? [fileEntryOf("var/lib/dpkg/status", BASH)] : []), ...extra);
  const lock: Lockfile = { ...lockOf(), images: { tooling: { tools } } };
  const [image = fail()] = (await applyBuild(planBuild(lock), context)).images;
  const platforms = Object.fromEntries(
    image.platforms.map(({ platform, manifest }) => [platform, manifest.digest]),
  );
  const { digest } = image.index;
  return { base: { kind: "image", reference: REFERENCE, digest, platforms }, store, image };
}

async function open(name: string, image?: LayoutStore) {
  const store = await openLayoutStore(join(folder, name, "store"));
  const sources = createTestSources();
  if (image !== undefined) sources.image = image;
  const context = { store, cacheDir: join(folder, name, "cache"), sources } satisfies BuildContext;
  return { store, context };
}

async function openBase(base: LockedBase, store: LayoutStore) {
  const platforms = ["linux/amd64", "linux/arm64"] as const;
  return await createBaseOpener(base, { platforms, openImage: async () => store })?.();
}

function fail(): never {
  throw new TypeError("nothing was built");
}
