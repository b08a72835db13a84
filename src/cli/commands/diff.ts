// SPDX-License-Identifier: Apache-2.0
import { mkdir } from "node:fs/promises";
import { layerNameOf } from "../../build/index.ts";
import { diffImages, type ImageDiff } from "../../diff/index.ts";
import { identityOf } from "../../oci/index.ts";
import type { Command, CommandContext, CommandInput } from "../command.ts";
import { type ComparedImage, openComparedImage } from "../compared-image.ts";
import { formatDiffReport } from "../diff-report.ts";
import { formatDiff } from "../diff-text.ts";
import { EXIT_CODES } from "../exit-code.ts";
import { choosePlatform } from "../open-place.ts";
import { platformOption, requireOperands } from "../option-value.ts";
import { readAccess, REGISTRY_OPTIONS } from "../registry-access.ts";
import { compareTools } from "../tool-weights.ts";

/** `toolbox diff` */
export const diffCommand: Command = {
  summary: "Show how two images differ: tools, config, layers, files, down to the first byte",
  usage: "A B",
  details: [
    "Anybody's images: [docker://]REF, oci:DIR[:NAME], docker-archive:FILE[:REF], docker-daemon:REF or",
    "containers-storage:REF (podman). A name without a prefix is an image of the workspace, else one that the local store",
    "has, else one of a registry. What has the same digest in both is not read; without --files and --merged no layer is",
    "fetched. --files compares layers one by one: a file that a layer hides is told as such. What is about an image",
    "(signatures, SBOMs) is not compared.",
    "Exit code: 0 when the two are the same, 1 when they differ, 2 or more when something is in the way.",
  ],
  options: {
    ...REGISTRY_OPTIONS,
    files: {
      type: "boolean",
      summary: "Open the layers that differ, and show which paths do and from which byte on",
    },
    merged: {
      type: "boolean",
      summary: "Read all layers: which paths differ for a container, however they are cut into layers",
    },
    platform: { type: "string", value: "OS/CPU", summary: "Only this platform of both" },
  },
  examples: [
    {
      command: "toolbox diff registry.example.com/team/tools:1.4 registry.example.com/team/tools:1.5",
      summary: "what an upgrade brings",
    },
    {
      command: "toolbox diff team-tools registry.example.com/team/tools:1.5",
      summary: "built here, published",
    },
    { command: "toolbox diff oci:a oci:b --files", summary: "why two builds of one thing are not the same" },
    {
      command: "toolbox diff docker-daemon:app:1 docker-daemon:app:2 --files --json",
      summary: "for scripts",
    },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 2, most: 2 });
    const [a = "", b = ""] = operands;
    const from = await openComparedImage(a, context, readAccess(options));
    try {
      const to = await openComparedImage(b, context, readAccess(options));
      try {
        return await compare([from, to], options, context);
      } finally {
        await to.close();
      }
    } finally {
      await from.close();
    }
  },
};

async function compare(
  opened: readonly [ComparedImage, ComparedImage],
  options: CommandInput["options"],
  context: CommandContext,
): Promise<number> {
  const images = [
    await choose(opened[0], options, context),
    await choose(opened[1], options, context),
  ] as const;
  const diff = await diffImages(...images, {
    nameLayer: layerNameOf,
    files: options["files"] === true ? { temporaryFolder: await spoolFolder(context) } : undefined,
    merged: options["merged"] === true,
    signal: context.signal,
    onProgress: context.onProgress,
  });
  context.endProgress();
  const result = { images, diff, tools: compareTools(diff) };
  for (const line of formatDiff(result)) context.print(line);
  context.printJson(formatDiffReport(result));
  if (options["files"] !== true && options["merged"] !== true && haveOtherFiles(diff))
    context.note("With --files, the layers that differ are opened and compared path by path.");
  return diff.same ? 0 : EXIT_CODES.failed;
}

async function choose(
  image: ComparedImage,
  options: CommandInput["options"],
  context: CommandContext,
): Promise<ComparedImage> {
  return { ...image, root: identityOf(await choosePlatform(image, platformOption(options), context)) };
}

async function spoolFolder({ paths }: CommandContext): Promise<string> {
  await mkdir(paths.cache, { recursive: true });
  return paths.cache;
}

function haveOtherFiles({ platforms }: ImageDiff): boolean {
  return platforms.some(({ content }) => content?.layers.some(({ kind }) => kind !== "same") === true);
}
