// SPDX-License-Identifier: Apache-2.0
import { IMAGE_LABELS } from "../build/index.ts";
import { ToolingError } from "../core/error.ts";
import {
  type ContentSource,
  type Descriptor,
  openLayoutStore,
  parseManifest,
  parseReference,
  type ParsedManifest,
} from "../oci/index.ts";
import type { CommandContext } from "./command.ts";
import { plainText } from "./plain-text.ts";
import { openRepository, wantedOf } from "./registry-access.ts";

/** One tool as an image tells it. */
export interface ImageToolLine {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
}

/** The tools that an image says it holds, read from one document; no layer is pulled. */
export async function readImageTools(
  reference: string,
  context: CommandContext,
): Promise<{ readonly digest: string; readonly tools: readonly ImageToolLine[] }> {
  const { source, descriptor } = await findImage(reference, context);
  const bytes = await source.fetchManifest(descriptor, { signal: context.signal });
  const tools = listTools(parseManifest(bytes, descriptor.mediaType), reference);
  if (tools === undefined) {
    throw new ToolingError("MANIFEST_INVALID", `image "${reference}" does not say which tools it holds`, {
      hint: "Only images made by toolbox do.",
    });
  }
  return { digest: descriptor.digest, tools };
}

/**
 * The tools that a manifest or index lists. Absent: it does not say. `reference` is only used in messages.
 *
 * @throws {ToolingError} `MANIFEST_INVALID`
 */
export function listTools(document: ParsedManifest, reference: string): readonly ImageToolLine[] | undefined {
  return listToolsIn(annotationsOf(document), reference);
}

/**
 * The tools that annotations, or the labels of a config, list. Absent: they do not say.
 *
 * @throws {ToolingError} `MANIFEST_INVALID`
 */
export function listToolsIn(
  labels: Readonly<Record<string, string>>,
  reference: string,
): readonly ImageToolLine[] | undefined {
  const text = labels[IMAGE_LABELS.tools];
  return text === undefined ? undefined : parseTools(text, reference);
}

async function findImage(
  reference: string,
  context: CommandContext,
): Promise<{ source: ContentSource; descriptor: Descriptor }> {
  const store = await openLayoutStore(context.paths.store);
  const known = await store.resolveManifest(reference).catch(() => undefined);
  if (known !== undefined) return { source: store, descriptor: known };
  const parsed = parseReference(reference);
  const repository = await openRepository(parsed, context);
  const descriptor = await repository.resolveManifest(wantedOf(parsed), { signal: context.signal });
  return { source: repository, descriptor };
}

function annotationsOf(parsed: ParsedManifest): Readonly<Record<string, string>> {
  return (parsed.kind === "index" ? parsed.index.annotations : parsed.manifest.annotations) ?? {};
}

function parseTools(text: string, reference: string): readonly ImageToolLine[] {
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every(isToolLine)) return list.map(plainLine);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new ToolingError("MANIFEST_INVALID", `image "${reference}" has a list of tools that cannot be read`, {
    hint: "Publish it again.",
  });
}

function plainLine({ name, version, summary }: ImageToolLine): ImageToolLine {
  return { name: plainText(name), version: plainText(version), summary: plainText(summary) };
}

function isToolLine(value: unknown): value is ImageToolLine {
  if (typeof value !== "object" || value === null) return false;
  const { name, version, summary } = value as Partial<ImageToolLine>;
  return typeof name === "string" && typeof version === "string" && typeof summary === "string";
}
