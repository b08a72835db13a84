// SPDX-License-Identifier: Apache-2.0
import type { SourceKind } from "../catalog/index.ts";
import type { ToolSource } from "./tool-source.ts";

const SOURCES: Readonly<Record<SourceKind, () => Promise<ToolSource>>> = {
  debian: async () => (await import("./debian-source.ts")).debianSource,
  file: async () => (await import("./file-source.ts")).fileSource,
  go: async () => (await import("./go-source.ts")).goSource,
  image: async () => (await import("./image-source.ts")).imageSource,
  npm: async () => (await import("./npm/npm-source.ts")).npmSource,
  pypi: async () => (await import("./pypi/pypi-source.ts")).pypiSource,
  release: async () => (await import("./release-source.ts")).releaseSource,
};

/** The source of a kind, loaded when it is first asked for. */
export async function openToolSource(kind: SourceKind): Promise<ToolSource> {
  return await SOURCES[kind]();
}
