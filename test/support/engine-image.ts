// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { readFile, realpath } from "node:fs/promises";
import { promisify } from "node:util";
import {
  type ArchiveEntry,
  compressGzip,
  fileEntryOf,
  sortEntries,
  writeTar,
} from "../../src/archive/index.ts";
import { collectBytes, streamOf } from "../../src/core/byte-stream.ts";
import { formatCanonicalJson } from "../../src/core/json.ts";
import { describeBytes, type Descriptor, type LayoutStore, MEDIA_TYPES } from "../../src/oci/index.ts";

/** Programs of this machine that make up the test image; each case of the contract needs some. */
const PROGRAMS = [
  "bash",
  "cat",
  "env",
  "id",
  "mkdir",
  "printf",
  "pwd",
  "setpriv",
  "sleep",
  "stat",
  "stty",
  "touch",
  "tty",
  "true",
  "whoami",
  "yes",
];

/** Names that a program knows its libraries by lead through links, so all are packed at the places that it asks for. */
const LIBRARY = /(?:=> )?(\/\S+) \(0x/g;

const run = promisify(execFile);

/**
 * Puts an image into a store, packed by this project's own code out of this machine's shell and core utilities with
 * the libraries that they load: small, and there wherever these tests can run at all.
 */
export async function putEngineImage(store: LayoutStore): Promise<Descriptor> {
  const tar = await collectBytes(writeTar(sortEntries(await imageEntries())));
  const layer = await put(store, await collectBytes(compressGzip(streamOf(tar))), MEDIA_TYPES.layerGzip);
  const architecture = process.arch === "arm64" ? "arm64" : "amd64";
  const diffId = describeBytes(tar, MEDIA_TYPES.layerTar).digest;
  const config = await putJson(store, MEDIA_TYPES.imageConfig, {
    architecture,
    os: "linux",
    config: {
      Env: ["PATH=/usr/local/bin:/usr/bin:/bin", "FROM_IMAGE=yes"],
      Entrypoint: ["/usr/bin/false-entrypoint"],
    },
    rootfs: { type: "layers", diff_ids: [diffId] },
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    config,
    layers: [layer],
  };
  const bytes = new TextEncoder().encode(formatCanonicalJson(manifest));
  const descriptor = describeBytes(bytes, MEDIA_TYPES.imageManifest);
  await store.putManifest(descriptor, bytes, { tag: "docker.io/best-tools/engine-contract:1" });
  return descriptor;
}

async function imageEntries(): Promise<ArchiveEntry[]> {
  const files = new Map<string, string>();
  for (const name of PROGRAMS) {
    const program = await realpath(
      (await run("sh", ["-c", `command -v -- ${name} | grep / || echo /usr/bin/${name}`])).stdout.trim(),
    );
    files.set(`usr/bin/${name}`, program);
    const { stdout } = await run("ldd", [program]).catch(() => ({ stdout: "" }));
    for (const [, library = ""] of stdout.matchAll(LIBRARY))
      files.set(asUsr(library), await realpath(library));
  }
  const { stdout } = await run("sh", [
    "-c",
    "ls /lib/*-linux-gnu*/libnss_files.so.2 /usr/lib/*/libnss_files.so.2 2>/dev/null; true",
  ]);
  for (const library of stdout.split("\n").filter((line) => line !== ""))
    files.set(asUsr(library), await realpath(library));
  const entries = await Promise.all(
    [...files].map(async ([path, source]) => fileEntryOf(path, await readFile(source), { mode: 0o755 })),
  );
  return [
    ...entries,
    fileEntryOf("etc/nsswitch.conf", "passwd: files\ngroup: files\n"),
    fileEntryOf("etc/not-executable", "text\n"),
    fileEntryOf("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
    fileEntryOf("etc/group", "root:x:0:\n"),
    ...["free", "tmp"].map((path) => ({ type: "directory", path, mode: 0o1777, uid: 0, gid: 0 }) as const),
    link("usr/bin/sh", "bash"),
    ...["bin", "lib", "lib64"].map((name) => link(name, `usr/${name}`)),
  ];
}

function link(path: string, target: string): ArchiveEntry {
  return { type: "symlink", path, target, mode: 0o777, uid: 0, gid: 0 };
}

function asUsr(path: string): string {
  return path.startsWith("/usr/") ? path.slice(1) : `usr${path}`;
}

async function putJson(store: LayoutStore, mediaType: string, value: unknown): Promise<Descriptor> {
  return put(store, new TextEncoder().encode(formatCanonicalJson(value)), mediaType);
}

async function put(store: LayoutStore, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
  const descriptor = describeBytes(bytes, mediaType);
  await store.putBlob(descriptor, streamOf(bytes));
  return descriptor;
}
