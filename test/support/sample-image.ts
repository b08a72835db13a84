// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type ArchiveEntry, sortEntries, writeTar } from "../../src/archive/index.ts";
import { collectBytes, streamOf } from "../../src/core/byte-stream.ts";
import {
  type ContentSink,
  describeBytes,
  type Descriptor,
  EMPTY_BYTES,
  EMPTY_DESCRIPTOR,
  MEDIA_TYPES,
} from "../../src/oci/index.ts";

const ARCHITECTURES = ["amd64", "arm64"] as const;

/** An image for two platforms, in a store. */
export interface SampleImage {
  readonly index: Descriptor;
  readonly manifests: readonly Descriptor[];
  /** All layers and configs. */
  readonly blobs: readonly Descriptor[];
}

/** Puts an image for two platforms into a store: a layer in common, one of its own for each, `size` random bytes large. */
export async function addSampleImage(
  to: ContentSink,
  { tag, size = 200_000 }: { readonly tag?: string; readonly size?: number } = {},
): Promise<SampleImage> {
  const shared = await makeLayer("etc/shared", Buffer.from("shared"));
  const blobs: Descriptor[] = [];
  const manifests: Descriptor[] = [];
  for (const architecture of ARCHITECTURES) {
    const layers = [shared, await makeLayer(`usr/${architecture}`, randomBytes(size))];
    const config = Buffer.from(
      JSON.stringify({
        architecture,
        os: "linux",
        created: "2026-01-02T03:04:05Z",
        config: { Cmd: ["/bin/true"] },
        rootfs: { type: "layers", diff_ids: layers.map(({ diffID }) => diffID) },
        history: layers.map(() => ({ created: "2026-01-02T03:04:05Z", created_by: "test" })),
      }),
    );
    const configDescriptor = await put(to, config, MEDIA_TYPES.imageConfig);
    const layerDescriptors: Descriptor[] = [];
    for (const { bytes } of layers) layerDescriptors.push(await put(to, bytes, MEDIA_TYPES.layerGzip));
    blobs.push(configDescriptor, ...layerDescriptors);
    const manifest = { config: configDescriptor, layers: layerDescriptors };
    const descriptor = await putDocument(to, MEDIA_TYPES.imageManifest, manifest);
    manifests.push({ ...descriptor, platform: { architecture, os: "linux" } });
  }
  const index = await putDocument(to, MEDIA_TYPES.imageIndex, { manifests }, tag);
  return { index, manifests, blobs };
}

/** Puts an artifact with one file into a store. Absent `subject`: it is about nothing. */
export async function addSampleArtifact(
  to: ContentSink,
  artifactType: string,
  { subject, tag }: { readonly subject?: Descriptor; readonly tag?: string } = {},
): Promise<Descriptor> {
  const config = await put(to, EMPTY_BYTES, EMPTY_DESCRIPTOR.mediaType);
  const file = await put(to, Buffer.from(`{"about":"${artifactType}"}`), "application/json");
  const annotations = { "org.opencontainers.image.title": "note.json" };
  const members = { artifactType, config, layers: [{ ...file, annotations }] };
  const about = subject && { mediaType: subject.mediaType, digest: subject.digest, size: subject.size };
  return putDocument(
    to,
    MEDIA_TYPES.imageManifest,
    { ...members, ...(about !== undefined && { subject: about }) },
    tag,
  );
}

async function makeLayer(path: string, content: Buffer): Promise<{ bytes: Buffer; diffID: string }> {
  const entry: ArchiveEntry = {
    type: "file",
    path,
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: content.byteLength,
    open: () => streamOf(content),
  };
  const tar = await collectBytes(writeTar(sortEntries([entry])));
  return { bytes: gzipSync(tar), diffID: `sha256:${createHash("sha256").update(tar).digest("hex")}` };
}

async function put(to: ContentSink, bytes: Uint8Array, mediaType: string): Promise<Descriptor> {
  const descriptor = describeBytes(bytes, mediaType);
  if (!(await to.hasBlob(descriptor))) await to.putBlob(descriptor, streamOf(bytes));
  return descriptor;
}

async function putDocument(
  to: ContentSink,
  mediaType: string,
  members: object,
  tag?: string,
): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...members }));
  const descriptor = describeBytes(bytes, mediaType);
  await to.putManifest(descriptor, bytes, { tag });
  return descriptor;
}
