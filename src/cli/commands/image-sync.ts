// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { ToolingError } from "../../core/error.ts";
import { applyCopy, planCopy } from "../../oci/index.ts";
import type { Command, CommandContext, CommandInput } from "../command.ts";
import { formatImagePlace } from "../image-place.ts";
import { formatColumns } from "../measure.ts";
import { aboutImages, openSourcePlace, openTargetPlace } from "../open-place.ts";
import { listOption, requireOperands, textOption } from "../option-value.ts";
import { planSync, type SyncStep } from "../plan-sync.ts";
import { COPY_OPTIONS, type CopyAccess, readCopyAccess } from "../registry-access.ts";
import { readSyncList, type SyncWish } from "../sync-list.ts";

/** `toolbox image sync` */
export const imageSyncCommand: Command = {
  summary: "Bring a repository, or a list of images, into step with another place",
  usage: "[REPOSITORY TARGET]",
  details: [
    "Copies whole images, digests unchanged, and only those that are missing or whose tag has moved. Deletes nothing.",
    "A list is YAML or JSON: images: [{ from: REPOSITORY[:TAG], to: REPOSITORY[:TAG], tags: [PATTERN] }].",
    "Sources and targets may be oci:DIR too.",
  ],
  options: {
    ...COPY_OPTIONS,
    list: { type: "string", value: "FILE", summary: "What to bring where, instead of two operands" },
    tags: {
      type: "string",
      multiple: true,
      value: "PATTERN",
      summary: "Tags, with * and ?; may be repeated",
    },
    referrers: {
      type: "boolean",
      summary: "Also what is about the images: signatures, SBOMs and the like, cosign's tags too",
    },
    "dry-run": { type: "boolean", summary: "Show what would be copied" },
  },
  examples: [
    {
      command:
        'toolbox image sync registry.example.com/team/tools mirror.example.com/team/tools --tags "1.*"',
      summary: "all tags that match",
    },
    { command: "toolbox image sync --list mirror.yaml --dry-run", summary: "what is missing" },
  ],
  async run({ operands, options }, context) {
    const access = readCopyAccess(options);
    const steps = await planSync(await readWishes(operands, options, context), context, access);
    const dryRun = options["dry-run"] === true;
    for (const step of dryRun ? [] : steps) {
      const withReferrers = options["referrers"] === true;
      if (step.state !== "same" || withReferrers)
        await applyStep(step, context, { ...access, withReferrers });
    }
    showSteps(steps, dryRun, context);
    return 0;
  },
};

async function readWishes(
  operands: readonly string[],
  options: CommandInput["options"],
  { cwd }: CommandContext,
): Promise<readonly SyncWish[]> {
  const list = textOption(options, "list");
  const tags = listOption(options, "tags");
  if (list !== undefined) {
    requireOperands(operands, {});
    if (tags === undefined) return await readSyncList(resolve(cwd, list));
    throw new ToolingError("COMMAND_USAGE", "--tags and --list exclude each other", {
      hint: "Write the patterns into the list.",
    });
  }
  requireOperands(operands, { least: 2, most: 2 });
  const [from = "", to = ""] = operands;
  return [{ from, to, tags: tags ?? ["*"] }];
}

async function applyStep(
  { from, to, root, state }: SyncStep,
  context: CommandContext,
  access: CopyAccess & { readonly withReferrers: boolean },
): Promise<void> {
  const { signal, onProgress } = context;
  const source = await openSourcePlace(from, context, access.source);
  const target = await openTargetPlace(to, context, access.target);
  const about = access.withReferrers ? aboutImages(source) : {};
  const plan = await planCopy(source.source, target.sink, root, {
    ...about,
    named: state === "same" ? root : undefined,
    signal,
  });
  await applyCopy(plan, source.source, target.sink, { tag: target.tag, signal, onProgress });
  await target.keep(plan.referrers);
}

function showSteps(steps: readonly SyncStep[], dryRun: boolean, { print, printJson }: CommandContext): void {
  const images = steps.map(({ from, to, root, state }) => {
    return { from: formatImagePlace(from), to: formatImagePlace(to), digest: root.digest, state };
  });
  for (const line of formatColumns(images.map(({ to, digest, state }) => [state, to, digest]))) print(line);
  const open = images.filter(({ state }) => state !== "same").length;
  print(`${open} of ${images.length} ${dryRun ? "to copy" : "copied"}`);
  printJson({ images, dryRun });
}
