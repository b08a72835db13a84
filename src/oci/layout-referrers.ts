// SPDX-License-Identifier: Apache-2.0
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import type { LayoutStore } from "./layout-store.ts";
import { isManifestDescriptor } from "./manifest-children.ts";
import { parseManifest } from "./parse-manifest.ts";

/** What in a layout is about a manifest. Only what index.json lists counts, as a layout knows no other way to find it. */
export async function listLayoutReferrers(
  store: LayoutStore,
  subject: Digest,
): Promise<readonly Descriptor[]> {
  const found = new Map<Digest, Descriptor>();
  for (const root of await store.listRoots()) {
    if (!isManifestDescriptor(root) || found.has(root.digest)) continue;
    const parsed = parseManifest(await store.fetchManifest(root), root.mediaType);
    const document = parsed.kind === "index" ? parsed.index : parsed.manifest;
    if (document.subject?.digest !== subject) continue;
    const { mediaType, digest, size } = root;
    const { annotations } = document;
    const artifactType =
      document.artifactType ?? (parsed.kind === "manifest" ? parsed.manifest.config.mediaType : undefined);
    found.set(digest, {
      mediaType,
      digest,
      size,
      ...(artifactType !== undefined && { artifactType }),
      ...(annotations !== undefined && { annotations }),
    });
  }
  return [...found.values()];
}
