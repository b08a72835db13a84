// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exampleSession } from "../../test/support/example-session.ts";
import { type ArchiveEntry, compressGzip, fileEntryOf, sortEntries, writeTar } from "../archive/index.ts";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import {
  createMemoryStore,
  describeBytes,
  type Descriptor,
  digestOf,
  MEDIA_TYPES,
  type MemoryStore,
} from "../oci/index.ts";
import type { Session } from "../session/index.ts";
import { bundleSession } from "./bundle-session.ts";
import type { EngineHost } from "./engine.ts";
import { systemFiles } from "./host-files.ts";
import { systemPrograms } from "./program-runner.ts";
import { unpackImage } from "./unpack-image.ts";
import { readUnpackedImage } from "./unpacked-image.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-embedded-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

describe("unpackImage", () => {
  test("lays layers over each other and makes the folders that runners mount on", async () => {
    const { store, digest } = await storedImage([
      [fileEntryOf("etc/name", "one"), fileEntryOf("etc/gone", "x")],
      [fileEntryOf("etc/name", "two"), fileEntryOf("etc/.wh.gone", "")],
    ]);
    const image = await readUnpackedImage(await unpack(store, digest));
    const root = image?.root ?? "";
    expect(await readFile(join(root, "etc/name"), "utf8")).toBe("two");
    expect(await readdir(join(root, "etc"))).toEqual(["name"]);
    expect(await readdir(root)).toEqual(expect.arrayContaining(["dev", "home", "proc", "tmp", "work"]));
    expect(image).toMatchObject({ env: ["FROM=image"], resetsSignals: false, dropsCapabilities: false });
  });

  test("does it once, even when several want it at once", async () => {
    const { store, digest } = await storedImage([[fileEntryOf("a", "1")]]);
    const places = await Promise.all([unpack(store, digest), unpack(store, digest), unpack(store, digest)]);
    expect(new Set(places).size).toBe(1);
    // Unpacked again from nothing it would fail.
    expect(await unpack(createMemoryStoreWithManifests(store), digest)).toBe(places[0]);
  });

  test("leaves nothing visible when a layer is not what the manifest says", async () => {
    const { store, digest } = await storedImage([[fileEntryOf("a", "1")]], { damage: true });
    await expect(unpack(store, digest)).rejects.toMatchObject({
      code: expect.stringMatching(/DIGEST|SIZE|ARCHIVE/),
    });
    expect(await readdir(join(folder, "data/rootfs"))).toEqual([]);
  });

  test("refuses an image whose /proc is a link", async () => {
    const link: ArchiveEntry = { type: "symlink", path: "proc", target: "/etc", mode: 0o777, uid: 0, gid: 0 };
    const { store, digest } = await storedImage([[link]]);
    await expect(unpack(store, digest)).rejects.toMatchObject({ code: "ARCHIVE_UNSAFE" });
  });
});

test("bundleSession writes a bundle whose root is the unpacked image", async () => {
  const { store, digest } = await storedImage([[fileEntryOf("a", "1")]]);
  await mkdir(join(folder, "work"));
  const request = { session: sessionFor(digest), supply: { store }, folder: join(folder, "bundle") };
  await bundleSession(request, hostOf());
  const config = JSON.parse(await readFile(join(folder, "bundle/config.json"), "utf8")) as Record<
    string,
    object
  >;
  expect(config["root"]).toEqual({ path: expect.stringContaining("/rootfs/"), readonly: true });
  expect(config["process"]).toMatchObject({
    cwd: "/work",
    env: expect.arrayContaining(["FROM=image", "MINE=yes"]),
  });
});

test("systemFiles tells files, folders and nothing apart", async () => {
  await writeFile(join(folder, "file"), "text");
  expect(await systemFiles.kindOf(join(folder, "file"))).toBe("file");
  expect(await systemFiles.kindOf(folder)).toBe("folder");
  expect(await systemFiles.kindOf(join(folder, "gone"))).toBeUndefined();
  expect(await systemFiles.readText(join(folder, "file"))).toBe("text");
  expect(await systemFiles.readText(folder)).toBeUndefined();
  expect(await systemFiles.list(folder)).toEqual(["file"]);
  expect(await systemFiles.list(join(folder, "gone"))).toEqual([]);
});

function unpack(store: MemoryStore, digest: Descriptor["digest"]): Promise<string> {
  return unpackImage({ image: { digest, platform: "linux/amd64" }, supply: { store } }, hostOf());
}

/** The same manifests, but no layer can be read. */
function createMemoryStoreWithManifests(store: MemoryStore): MemoryStore {
  return Object.assign(Object.create(store) as MemoryStore, {
    resolveManifest: store.resolveManifest.bind(store),
    fetchManifest: store.fetchManifest.bind(store),
    openBlob: () => {
      throw new TypeError("a layer was read again");
    },
  });
}

async function storedImage(
  layers: readonly (readonly ArchiveEntry[])[],
  { damage = false } = {},
): Promise<{ store: MemoryStore; digest: Descriptor["digest"] }> {
  const store = createMemoryStore();
  const put = async (bytes: Uint8Array, mediaType: string): Promise<Descriptor> => {
    const descriptor = describeBytes(bytes, mediaType);
    await store.putBlob(descriptor, streamOf(bytes));
    return descriptor;
  };
  const diffIds: string[] = [];
  const descriptors: Descriptor[] = [];
  for (const entries of layers) {
    const tar = await collectBytes(writeTar(sortEntries(entries)));
    diffIds.push(digestOf(tar));
    descriptors.push(await put(await collectBytes(compressGzip(streamOf(tar))), MEDIA_TYPES.layerGzip));
  }
  const config = await put(
    textBytes({
      architecture: "amd64",
      os: "linux",
      config: { Env: ["FROM=image"] },
      rootfs: { type: "layers", diff_ids: diffIds },
    }),
    MEDIA_TYPES.imageConfig,
  );
  const bytes = textBytes({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    config,
    layers: descriptors,
  });
  const manifest = describeBytes(bytes, MEDIA_TYPES.imageManifest);
  await store.putManifest(manifest, bytes, {});
  if (damage) Object.assign(store, { openBlob: damageLayers(store) });
  return { store, digest: manifest.digest };
}

function damageLayers(store: MemoryStore): MemoryStore["openBlob"] {
  const open = store.openBlob.bind(store);
  return async function* openDamaged(descriptor, options) {
    const bytes = await collectBytes(open(descriptor, options));
    const isLayer = descriptor.mediaType === MEDIA_TYPES.layerGzip;
    yield isLayer ? bytes.with(bytes.length - 5, (bytes.at(-5) ?? 0) ^ 1) : bytes;
  };
}

function textBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function hostOf(): EngineHost {
  return {
    os: "linux",
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    env: { PATH: process.env["PATH"] },
    dataDir: join(folder, "data"),
    stateDir: join(folder, "state"),
    programs: systemPrograms,
    signals: { listen: () => () => undefined },
    hasTerminal: false,
  };
}

function sessionFor(digest: Descriptor["digest"]): Session {
  return exampleSession({
    image: { digest, platform: "linux/amd64" },
    mounts: [{ source: join(folder, "work"), target: "/work", readOnly: false }],
    env: { MINE: "yes" },
    network: "none",
  });
}
