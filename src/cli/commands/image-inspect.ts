// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import {
  type ContentSource,
  type Descriptor,
  formatPlatform,
  type ImageManifest,
  MANIFEST_LIMIT,
  MEDIA_TYPES,
  parseImageConfig,
  type ParsedManifest,
  parseManifest,
  selectPlatform,
  verifyStream,
} from "../../oci/index.ts";
import type { Command, CommandContext } from "../command.ts";
import { parseImagePlace, PLACE_DETAILS } from "../image-place.ts";
import { formatColumns, formatSize } from "../measure.ts";
import { choosePlatform, openSourcePlace } from "../open-place.ts";
import { platformOption, requireOperands } from "../option-value.ts";
import { readAccess, REGISTRY_OPTIONS } from "../registry-access.ts";

/** `toolbox image inspect` */
export const imageInspectCommand: Command = {
  summary: "Show what an image is, without pulling its layers",
  usage: "REF",
  details: PLACE_DETAILS,
  options: {
    ...REGISTRY_OPTIONS,
    raw: { type: "boolean", summary: "The exact bytes of the manifest, or with --config of the config" },
    config: { type: "boolean", summary: "The config: environment, entry point, labels, history" },
    platform: { type: "string", value: "OS/CPU", summary: "That manifest of an index" },
  },
  examples: [
    { command: "toolbox image inspect registry.example.com/team/tools:1.4", summary: "platforms and layers" },
    {
      command: "toolbox image inspect alpine --config --platform arm64",
      summary: "what a container is given",
    },
    {
      command: "toolbox image inspect oci:tools:1.4 --raw | sha256sum",
      summary: "the digest, computed again",
    },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 1, most: 1 });
    const place = parseImagePlace(operands[0] ?? "", context.cwd);
    const opened = await openSourcePlace(place, context, readAccess(options));
    try {
      const root = await choosePlatform(opened, platformOption(options), context);
      const shown = await readDocument(opened.source, root, context);
      if (options["config"] === true) {
        await showConfig(opened.source, shown, options["raw"] === true, context);
      } else if (options["raw"] === true) context.printExactly(decode(shown.bytes));
      else showManifest(shown, context);
      return 0;
    } finally {
      await opened.close();
    }
  },
};

interface ImageDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly parsed: ParsedManifest;
}

async function readDocument(
  source: ContentSource,
  descriptor: Descriptor,
  { signal }: CommandContext,
): Promise<ImageDocument> {
  const bytes = await source.fetchManifest(descriptor, { signal });
  return { descriptor, bytes, parsed: parseManifest(bytes, descriptor.mediaType) };
}

/** Documents are valid UTF-8, or they would not have been parsed, so the bytes come back as they were. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

async function showConfig(
  source: ContentSource,
  { parsed }: ImageDocument,
  raw: boolean,
  context: CommandContext,
): Promise<void> {
  const manifest = await manifestOf(source, parsed, context);
  const { config } = manifest;
  const content = verifyStream(source.openBlob(config, { signal: context.signal }), config);
  const tooLarge = (): ToolingError =>
    new ToolingError("MANIFEST_INVALID", `config "${config.digest}" is larger than ${MANIFEST_LIMIT} bytes`);
  const bytes = await collectBytes(content, { limit: MANIFEST_LIMIT, onExcess: tooLarge });
  if (raw) {
    context.printExactly(decode(bytes));
    return;
  }
  const isImage =
    config.mediaType === MEDIA_TYPES.imageConfig || config.mediaType === MEDIA_TYPES.dockerConfig;
  if (!isImage) {
    throw new ToolingError("MANIFEST_INVALID", `config is "${config.mediaType}", not that of an image`, {
      hint: "Add --raw to see it.",
    });
  }
  const value = parseImageConfig(bytes, { layers: manifest.layers.length });
  context.print(JSON.stringify(value, null, 2));
  context.printJson(value);
}

async function manifestOf(
  source: ContentSource,
  parsed: ParsedManifest,
  context: CommandContext,
): Promise<ImageManifest> {
  if (parsed.kind === "manifest") return parsed.manifest;
  const { hostPlatform } = await import("../run-session.ts");
  const shown = await readDocument(source, selectPlatform(parsed.index, hostPlatform()), context);
  return await manifestOf(source, shown.parsed, context);
}

function showManifest({ descriptor, parsed }: ImageDocument, { print, printJson }: CommandContext): void {
  const { digest, mediaType, size } = descriptor;
  const document = parsed.kind === "index" ? parsed.index : parsed.manifest;
  const parts = parsed.kind === "index" ? parsed.index.manifests : parsed.manifest.layers;
  print(digest);
  const head = [
    ["type", mediaType],
    ...(document.artifactType === undefined ? [] : [["artifact type", document.artifactType]]),
    ...(document.subject === undefined ? [] : [["about", document.subject.digest]]),
    ...Object.entries(document.annotations ?? {}).map(([name, value]) => [name, firstLine(value)]),
  ];
  for (const line of formatColumns(head)) print(`  ${line}`);
  print(parsed.kind === "index" ? "manifests:" : "layers:");
  const rows = parts.map((part) => [
    part.digest,
    formatSize(part.size),
    part.platform === undefined ? part.mediaType : formatPlatform(part.platform),
  ]);
  for (const line of formatColumns(rows)) print(`  ${line}`);
  printJson({ digest, mediaType, size, manifest: document });
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
