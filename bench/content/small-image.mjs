// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { spawnSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { arch } from "node:process";

/** What is built, which need not be there when types are checked. */
const DIST = join(import.meta.dirname, "..", "..", "dist");
/** @type {typeof import("../../src/archive/index.ts")} */
const { compressGzip, fileEntryOf, sortEntries, writeTar } = await import(join(DIST, "archive/index.js"));
/** @type {typeof import("../../src/core/byte-stream.ts")} */
const { collectBytes, streamOf } = await import(join(DIST, "core/byte-stream.js"));
/** @type {typeof import("../../src/core/json.ts")} */
const { formatCanonicalJson } = await import(join(DIST, "core/json.js"));
/** @type {typeof import("../../src/oci/index.ts")} */
const { describeBytes, MEDIA_TYPES, openLayoutStore } = await import(join(DIST, "oci/index.js"));

const PROGRAMS = ["env", "sleep", "true"];

/**
 * Puts an image into a store, made of this machine's shell and a few programs with the libraries that they load.
 *
 * @param {string} folder
 * @param {string} tag
 */
export async function putSmallImage(folder, tag) {
  const store = await openLayoutStore(folder);
  const tar = await collectBytes(writeTar(sortEntries(listEntries())));
  const layer = await put(await collectBytes(compressGzip(streamOf(tar))), MEDIA_TYPES.layerGzip);
  const config = await put(
    encode({
      architecture: arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      config: { Env: ["PATH=/usr/bin"] },
      rootfs: { type: "layers", diff_ids: [describeBytes(tar, MEDIA_TYPES.layerTar).digest] },
    }),
    MEDIA_TYPES.imageConfig,
  );
  const manifest = encode({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    config,
    layers: [layer],
  });
  await store.putManifest(describeBytes(manifest, MEDIA_TYPES.imageManifest), manifest, { tag });

  /**
   * @param {Uint8Array} bytes
   * @param {string} mediaType
   */
  async function put(bytes, mediaType) {
    const descriptor = describeBytes(bytes, mediaType);
    await store.putBlob(descriptor, streamOf(bytes));
    return descriptor;
  }
}

/** @returns {import("../../src/archive/index.ts").ArchiveEntry[]} */
function listEntries() {
  const shell = realpathSync("/bin/sh");
  /** @type {Map<string, string>} */
  const files = new Map([["usr/bin/sh", shell]]);
  for (const name of PROGRAMS) files.set(`usr/bin/${name}`, realpathSync(`/usr/bin/${name}`));
  for (const program of Array.from(files.values())) {
    const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
    for (const [, library = ""] of stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)) {
      files.set(library.startsWith("/usr/") ? library.slice(1) : `usr${library}`, realpathSync(library));
    }
  }
  return [
    ...[...files].map(([path, source]) => fileEntryOf(path, readFileSync(source), { mode: 0o755 })),
    ...["bin", "lib", "lib64"].map((name) => link(name, `usr/${name}`)),
  ];
}

/**
 * @param {string} path
 * @param {string} target
 * @returns {import("../../src/archive/index.ts").ArchiveEntry}
 */
function link(path, target) {
  return { type: "symlink", path, target, mode: 0o777, uid: 0, gid: 0 };
}

/** @param {unknown} value */
function encode(value) {
  return new TextEncoder().encode(formatCanonicalJson(value));
}
