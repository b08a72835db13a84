// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import {
  applyCopy,
  type ApplyCopyOptions,
  type CopyPlan,
  createMemoryStore,
  type Descriptor,
  formatReference,
  isIndexMediaType,
  MEDIA_TYPES,
  parseManifest,
  planCopy,
  writeDockerArchiveFile,
} from "../../oci/index.ts";
import type { Command, CommandContext, CommandInput } from "../command.ts";
import { formatImagePlace, type ImagePlace, parseImagePlace, PLACE_DETAILS } from "../image-place.ts";
import { formatColumns, formatSize } from "../measure.ts";
import {
  choosePlatform,
  aboutImages,
  openSourcePlace,
  openTargetPlace,
  type SourcePlace,
  type TargetPlace,
} from "../open-place.ts";
import { platformOption, requireOperands } from "../option-value.ts";
import { COPY_OPTIONS, readCopyAccess } from "../registry-access.ts";

/** `toolbox image copy` */
export const imageCopyCommand: Command = {
  summary: "Copy an image between registries, layouts, archives and engines, digests unchanged",
  usage: "SRC DST",
  details: [
    "Everything of an index is copied, so that its digest stays. With --platform the copy is that one manifest.",
    "With --referrers, what the referrers of image and platforms say comes along, and what cosign keeps under the tags",
    "sha256-HEX.sig, .att and .sbom; such a tag of the target is replaced, as the tag of the image is.",
    "Archives and engines hold one platform: --platform, else that of this machine. What is there is not sent again.",
    ...PLACE_DETAILS,
  ],
  options: {
    ...COPY_OPTIONS,
    all: { type: "boolean", summary: "All platforms; the default for registries and layouts" },
    platform: { type: "string", value: "OS/CPU", summary: "Only this platform" },
    referrers: {
      type: "boolean",
      summary: "Also what is about the image: signatures, SBOMs and the like, cosign's tags too",
    },
    "dry-run": { type: "boolean", summary: "Show what would be sent" },
  },
  examples: [
    {
      command:
        "toolbox image copy registry.example.com/team/tools:1.4 mirror.example.com/team/tools:1.4 --referrers",
      summary: "to another registry",
    },
    {
      command: "toolbox image copy registry.example.com/team/tools:1.4 oci:tools:1.4",
      summary: "to a folder",
    },
    {
      command: "toolbox image copy oci:tools:1.4 docker-archive:tools.tar --platform linux/arm64",
      summary: "for docker load",
    },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 2, most: 2 });
    const [from, to] = operands.map((text) => parseImagePlace(text, context.cwd));
    if (from === undefined || to === undefined) return 2;
    checkOptions(options, to);
    // Opening a registry asks nothing of it; a layout would be made, and must wait until there is a source.
    const target =
      to.kind === "registry" ? await openTargetPlace(to, context, readCopyAccess(options).target) : undefined;
    const named = target === undefined ? undefined : askTarget(target, context);
    const source = await openSourcePlace(from, context, readCopyAccess(options).source);
    try {
      const report =
        to.kind === "registry" || to.kind === "oci"
          ? await copyToStore(source, to, { options, context, target, named })
          : await copyToArchive(source, to, { options, context });
      showReport(
        { source: formatImagePlace(from), target: formatImagePlace(to), ...report },
        options,
        context,
      );
      return 0;
    } finally {
      await source.close();
    }
  },
};

interface CopyRequest {
  readonly options: CommandInput["options"];
  readonly context: CommandContext;
  /** Absent: not opened yet. */
  readonly target?: TargetPlace | undefined;
  /** What the target's name stands for now. Absent: it was not asked. */
  readonly named?: Promise<Descriptor | undefined> | undefined;
}

/** What was copied, or would be. */
interface CopyReport {
  readonly digest: string;
  readonly plan: CopyPlan;
}

function checkOptions(options: CommandInput["options"], to: ImagePlace): void {
  const holdsOne = to.kind === "docker-archive" || to.kind === "engine";
  if (options["all"] === true && options["platform"] !== undefined)
    throw usage("--all and --platform exclude each other", "Give one of them.");
  if (options["all"] === true && holdsOne)
    throw usage(`"${formatImagePlace(to)}" holds one platform`, "Leave --all away, or copy to oci:DIR.");
  if (options["referrers"] === true && holdsOne)
    throw usage(
      `"${formatImagePlace(to)}" cannot hold referrers`,
      "Leave --referrers away, or copy to oci:DIR.",
    );
}

function usage(message: string, hint: string): ToolingError {
  return new ToolingError("COMMAND_USAGE", message, { hint });
}

/** Asks while the source is asked too: most copies of a daily job find their target up to date, and end with that. */
function askTarget(
  { sink, tag }: TargetPlace,
  { signal }: CommandContext,
): Promise<Descriptor | undefined> | undefined {
  if (tag === undefined) return undefined;
  const named = sink.resolveManifest(tag, { signal }).catch((error: unknown) => {
    // Nothing is there, or nothing that we could read: it will be replaced.
    if (error instanceof ToolingError && REPLACEABLE.has(error.code)) return undefined;
    throw error;
  });
  // When the source fails first, nobody waits for this.
  named.catch(() => undefined);
  return named;
}

const REPLACEABLE: ReadonlySet<string> = new Set([
  "DIGEST_MISMATCH",
  "IMAGE_NOT_FOUND",
  "JSON_INVALID",
  "MANIFEST_INVALID",
]);

async function copyToStore(
  from: SourcePlace,
  place: Extract<ImagePlace, { kind: "registry" | "oci" }>,
  { options, context, named, ...request }: CopyRequest,
): Promise<CopyReport> {
  const { signal, onProgress } = context;
  const root = await choosePlatform(from, platformOption(options), context);
  checkDigest(place, root);
  const target = request.target ?? (await openTargetPlace(place, context, readCopyAccess(options).target));
  const about = options["referrers"] === true ? aboutImages(from) : {};
  const plan = await planCopy(from.source, target.sink, root, { ...about, named: await named, signal });
  if (options["dry-run"] !== true) {
    const { tag } = target;
    await applyCopy(plan, from.source, target.sink, {
      tag,
      mountBlob: mountOf(from, target),
      signal,
      onProgress,
    });
    await target.keep([...(tag === undefined ? [root] : []), ...plan.referrers]);
  }
  return { digest: root.digest, plan };
}

/** Blobs need not travel between repositories of one registry. */
function mountOf(from: SourcePlace, { repository }: TargetPlace): ApplyCopyOptions["mountBlob"] {
  const other = from.repository;
  if (repository === undefined || other === undefined) return undefined;
  if (repository.registry !== other.registry || repository.repository === other.repository) return undefined;
  return async (descriptor, options) =>
    repository.mountBlob(descriptor, { ...options, from: other.repository });
}

function checkDigest(place: ImagePlace, { digest }: Descriptor): void {
  if (place.kind !== "registry" || place.reference.digest === undefined) return;
  if (place.reference.digest === digest) return;
  throw new ToolingError(
    "DIGEST_MISMATCH",
    `"${formatReference(place.reference)}" cannot become "${digest}"`,
    {
      hint: "Name the target by a tag.",
    },
  );
}

async function copyToArchive(
  from: SourcePlace,
  place: Extract<ImagePlace, { kind: "docker-archive" | "engine" }>,
  { options, context }: CopyRequest,
): Promise<CopyReport> {
  const { signal } = context;
  const wanted = platformOption(options) ?? (await import("../run-session.ts")).hostPlatform();
  const root = await choosePlatform(from, wanted, context);
  const plan = await planCopy(from.source, createMemoryStore(), root, { signal });
  requireImage(plan);
  if (options["dry-run"] === true) return { digest: root.digest, plan };
  if (place.kind === "engine") {
    const { loadArchive } = await import("../load-archive.ts");
    await loadArchive(from.source, root, place, context);
  } else {
    const image = { descriptor: root, reference: place.name ?? from.name };
    await writeDockerArchiveFile(from.source, [image], place.file, { signal });
  }
  return { digest: root.digest, plan };
}

/** Archives of docker hold images to run, and engines refuse everything else in words of their own. */
function requireImage({ root, manifests }: CopyPlan): void {
  const own = manifests.find(({ descriptor }) => descriptor.digest === root.digest);
  const parsed = own?.bytes === undefined ? undefined : parseManifest(own.bytes, root.mediaType);
  const type = parsed?.kind === "manifest" ? parsed.manifest.config.mediaType : root.mediaType;
  if (type === MEDIA_TYPES.imageConfig || type === MEDIA_TYPES.dockerConfig) return;
  throw new ToolingError("MANIFEST_INVALID", `"${root.digest}" is an artifact and no image to run`, {
    hint: "Copy it to a registry or to oci:DIR, or get its files with `toolbox artifact pull`.",
  });
}

function showReport(
  { source, target, digest, plan }: CopyReport & { readonly source: string; readonly target: string },
  options: CommandInput["options"],
  { print, printJson }: CommandContext,
): void {
  const dryRun = options["dry-run"] === true;
  const rows = [...plan.blobs, ...plan.manifests].map(({ descriptor, isPresent }) => {
    return { ...descriptor, present: isPresent };
  });
  if (dryRun) {
    const lines = rows.map(({ mediaType, digest, size, present }) => [
      isIndexMediaType(mediaType) ? "index" : digest === plan.root.digest ? "image" : mediaType,
      digest,
      formatSize(size),
      present ? "there" : "to send",
    ]);
    for (const line of formatColumns(lines)) print(line);
  }
  const missing = rows.filter(({ present }) => !present);
  const size = missing.reduce((sum, { size }) => sum + size, 0);
  print(`${target}  ${digest}`);
  for (const { tag, descriptor } of plan.tagged) print(`${tag}  ${descriptor.digest}`);
  print(`${missing.length} of ${rows.length} ${dryRun ? "to send" : "sent"}, ${formatSize(size)}`);
  printJson({
    source,
    target,
    digest,
    mediaType: plan.root.mediaType,
    dryRun,
    size,
    content: rows.map(({ mediaType, digest, size, present }) => ({ mediaType, digest, size, present })),
    referrers: plan.referrers.map(({ digest }) => digest),
    tagged: plan.tagged.map(({ tag, descriptor }) => ({ tag, digest: descriptor.digest })),
  });
}
