// SPDX-License-Identifier: Apache-2.0
import { readTar } from "../archive/index.ts";
import { collectBytes, type LentBytes, streamOf } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { OperationOptions } from "../core/operation.ts";
import { parseStrictJson } from "../core/strict-json.ts";
import { describeBytes, type Descriptor } from "./descriptor.ts";
import { REF_NAME } from "./layout-index.ts";
import type { LayoutStore } from "./layout-store.ts";
import { MEDIA_TYPES } from "./media-type.ts";
import { parseImageConfig, parseManifest } from "./parse-manifest.ts";
import type { ExpectedContent } from "./verify-stream.ts";

/** An image that came out of an archive. */
export interface LoadedImage {
  /** Of its manifest or index, now in the store. */
  readonly descriptor: Descriptor;
  /** Names that the archive gives it. The store does not know it by them yet. */
  readonly references: readonly string[];
}

/**
 * Reads an archive made by `docker save`, `podman save` or {@link writeDockerArchive}, or an OCI layout in a tar, into
 * a store, in one pass. What turns out not to be needed goes with the store's next clean-up.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `MANIFEST_INVALID`, `JSON_INVALID`
 */
export async function readDockerArchive(
  content: LentBytes,
  store: LayoutStore,
  { signal }: Pick<OperationOptions, "signal"> = {},
): Promise<readonly LoadedImage[]> {
  const parts = await ingestParts(content, store, signal);
  const index = parts.documents.get("index.json");
  if (index !== undefined) return await loadLayout(index, store);
  const saved = parts.documents.get("manifest.json");
  if (saved !== undefined) return await loadSaved(parseSaved(saved), parts, store);
  throw invalid("has neither index.json nor manifest.json");
}

interface Parts {
  /** The two documents that say what the archive holds. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
  readonly blobs: ReadonlyMap<string, ExpectedContent>;
}

const DOCUMENTS: readonly string[] = ["index.json", "manifest.json"];
const DOCUMENT_LIMIT = 16 * 1024 * 1024;

async function ingestParts(
  content: LentBytes,
  store: LayoutStore,
  signal: AbortSignal | undefined,
): Promise<Parts> {
  const documents = new Map<string, Uint8Array>();
  const blobs = new Map<string, ExpectedContent>();
  const links = new Map<string, string>();
  for await (const member of readTar(content, { signal })) {
    const { path, type, target = "" } = member;
    if (type === "file" && DOCUMENTS.includes(path)) {
      const onExcess = (): Error => invalid(`has a ${path} that is too large`);
      documents.set(path, await collectBytes(member.content, { limit: DOCUMENT_LIMIT, onExcess }));
    } else if (type === "file") {
      blobs.set(path, await store.ingestBlob(member.content, { signal }));
    } else if (type === "hardlink") links.set(path, target);
    // docker save writes a layer that two images share once, and "../OTHER/layer.tar" in the other place.
    else if (type === "symlink") links.set(path, new URL(target, `file:///${path}`).pathname.slice(1));
  }
  for (const [path, target] of links) {
    const blob = blobs.get(target);
    if (blob !== undefined) blobs.set(path, blob);
  }
  return { documents, blobs };
}

async function loadLayout(index: Uint8Array, store: LayoutStore): Promise<readonly LoadedImage[]> {
  const parsed = parseManifest(index, MEDIA_TYPES.imageIndex);
  if (parsed.kind !== "index") throw invalid("has an index.json that is no index");
  return await Promise.all(
    parsed.index.manifests.map(async (descriptor) => {
      await store.fetchManifest(descriptor);
      const name = descriptor.annotations?.[REF_NAME];
      return { descriptor, references: name === undefined ? [] : [name] };
    }),
  );
}

interface SavedImage {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

function parseSaved(bytes: Uint8Array): readonly SavedImage[] {
  const value = parseStrictJson(bytes, { what: "manifest.json" });
  if (Array.isArray(value) && value.every(isSavedImage)) return value;
  throw invalid("has a manifest.json that is not what docker save writes");
}

function isSavedImage(value: unknown): value is SavedImage {
  if (value === null || typeof value !== "object") return false;
  const { Config, RepoTags = null, Layers } = value as Partial<Record<string, unknown>>;
  const areTags =
    RepoTags === null || (Array.isArray(RepoTags) && RepoTags.every((tag) => typeof tag === "string"));
  return (
    typeof Config === "string" &&
    areTags &&
    Array.isArray(Layers) &&
    Layers.every((path) => typeof path === "string")
  );
}

async function loadSaved(
  images: readonly SavedImage[],
  parts: Parts,
  store: LayoutStore,
): Promise<readonly LoadedImage[]> {
  const loaded: LoadedImage[] = [];
  for (const { Config, RepoTags, Layers } of images) {
    const config = findBlob(parts, Config);
    const { architecture, os } = parseImageConfig(
      await collectBytes(store.openBlob(config), { limit: DOCUMENT_LIMIT }),
      {
        layers: Layers.length,
      },
    );
    const layers = Layers.map((path) => ({ mediaType: MEDIA_TYPES.layerTar, ...findBlob(parts, path) }));
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.imageManifest,
      config: { mediaType: MEDIA_TYPES.imageConfig, ...config },
      layers,
    };
    const bytes = new TextEncoder().encode(formatCanonicalJson(manifest));
    const descriptor = { ...describeBytes(bytes, MEDIA_TYPES.imageManifest), platform: { architecture, os } };
    await store.putBlob(descriptor, streamOf(bytes));
    loaded.push({ descriptor, references: RepoTags ?? [] });
  }
  return loaded;
}

function findBlob({ blobs }: Parts, path: string): ExpectedContent {
  const found = blobs.get(path);
  if (found !== undefined) return found;
  throw invalid(`does not hold "${path}", which it names`);
}

function invalid(what: string): ToolingError {
  return new ToolingError("ARCHIVE_INVALID", `image archive ${what}`, {
    hint: "Make it with docker save, podman save or toolbox build --output docker-archive:FILE.",
  });
}
