// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, fileEntryOf, sortEntries, writeTar } from "../archive/index.ts";
import type { ByteStream } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { ContentSource } from "./content-store.ts";
import type { Descriptor } from "./descriptor.ts";
import { algorithmOf, encodedOf } from "./digest.ts";
import { REF_NAME } from "./layout-index.ts";
import { MEDIA_TYPES } from "./media-type.ts";
import { parseManifest } from "./parse-manifest.ts";
import { formatReference, parseReference } from "./reference.ts";
import { verifyBytes, verifyStream } from "./verify-stream.ts";

/** An image to put into an archive. */
export interface DockerArchiveImage {
  /** Of a manifest for one platform. */
  readonly descriptor: Descriptor;
  /** The name that it has after loading. Absent, or without a tag: it is known by its ID only. */
  readonly reference?: string | undefined;
}

/** The name under which containerd's importer stores an image. */
const CONTAINERD_NAME = "io.containerd.image.name";

/**
 * A tar archive that is an OCI layout and also has the `manifest.json` of `docker save`, so that docker (20.10 and
 * later), podman and skopeo load it. Its bytes depend on the images and their names alone.
 *
 * @throws {ToolingError} `MANIFEST_INVALID` when a descriptor is of an index, `REFERENCE_INVALID`, and what `from` throws
 */
export async function* writeDockerArchive(
  from: ContentSource,
  images: readonly DockerArchiveImage[],
  { signal }: Pick<OperationOptions, "signal"> = {},
): AsyncGenerator<Uint8Array> {
  const entries = new Map<string, ArchiveEntry>();
  const add = (entry: ArchiveEntry): void => void entries.set(entry.path, entry);
  const saved: object[] = [];
  const roots: Descriptor[] = [];
  for (const { descriptor, reference } of images) {
    const bytes = await from.fetchManifest(descriptor, { signal });
    verifyBytes(bytes, descriptor);
    const { config, layers } = expectManifest(bytes, descriptor);
    const name = nameOf(reference);
    add(fileEntryOf(pathOf(descriptor), bytes));
    for (const blob of [config, ...layers]) add(blobEntry(from, blob, signal));
    saved.push({
      Config: pathOf(config),
      RepoTags: name === undefined ? [] : [name],
      Layers: layers.map(pathOf),
    });
    const names = name === undefined ? {} : { [REF_NAME]: name, [CONTAINERD_NAME]: name };
    roots.push({ ...descriptor, annotations: { ...descriptor.annotations, ...names } });
  }
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: roots };
  add(fileEntryOf("index.json", formatCanonicalJson(index)));
  add(fileEntryOf("manifest.json", formatCanonicalJson(saved)));
  add(fileEntryOf("oci-layout", formatCanonicalJson({ imageLayoutVersion: "1.0.0" })));
  // None of it is lent: headers are made for it, and the chunks of `openBlob` are its own.
  yield* writeTar(sortEntries(entries.values()));
}

function expectManifest(
  bytes: Uint8Array,
  { mediaType }: Descriptor,
): { config: Descriptor; layers: readonly Descriptor[] } {
  const parsed = parseManifest(bytes, mediaType);
  if (parsed.kind === "manifest") return parsed.manifest;
  throw new ToolingError(
    "MANIFEST_INVALID",
    "an archive for docker holds one platform of an image, not an index",
    {
      hint: "Choose a platform.",
    },
  );
}

function nameOf(reference: string | undefined): string | undefined {
  if (reference === undefined) return undefined;
  const { registry, repository, tag } = parseReference(reference);
  return tag === undefined ? undefined : formatReference({ registry, repository, tag });
}

function pathOf({ digest }: Descriptor): string {
  return `blobs/${algorithmOf(digest)}/${encodedOf(digest)}`;
}

function blobEntry(from: ContentSource, blob: Descriptor, signal: AbortSignal | undefined): ArchiveEntry {
  const open = (): ByteStream => verifyStream(from.openBlob(blob, { signal }), blob, { signal });
  return { type: "file", path: pathOf(blob), mode: 0o644, uid: 0, gid: 0, size: blob.size, open };
}
