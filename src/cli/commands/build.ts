// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import {
  applyBuild,
  type BuildContext,
  type BuildPlan,
  type BuildReport,
  checkBudgets,
  describePlan,
  parseImageTarget,
  planBuild,
  type PlanReport,
  writeImage,
} from "../../build/index.ts";
import { ToolingError } from "../../core/error.ts";
import type { Platform } from "../../core/platform.ts";
import { type PullBudget, resolveCompression, type Workspace } from "../../workspace/index.ts";
import { formatLayerSizes, type MeasuredImage, measureReport } from "../build-sizes.ts";
import type { Command, CommandContext, CommandInput } from "../command.ts";
import { FROZEN_OPTION, isFrozen } from "../frozen.ts";
import { lockAndWrite } from "../lock-pipeline.ts";
import { formatColumns, formatSize } from "../measure.ts";
import { choiceOption, listOption, platformsOption, requireOperands } from "../option-value.ts";
import { openBuildContext } from "../workbench.ts";
import { readWorkspaceFiles } from "../workspace-files.ts";

/** `toolbox build` */
export const buildCommand: Command = {
  summary: "Build the images of the workspace into the local store",
  usage: "",
  details: [
    "A lock that does not answer toolbox.yaml is brought up to date first, unless --frozen forbids it.",
    "What each layer weighs is shown on stderr. An image that passes its `budget:` stays in the store, to be looked at,",
    "but the build fails and nothing is written or loaded.",
  ],
  options: {
    ...FROZEN_OPTION,
    image: { type: "string", multiple: true, value: "NAME", summary: "Only this image; may be repeated" },
    platform: {
      type: "string",
      multiple: true,
      value: "OS/CPU",
      summary: "Only this platform; may be repeated",
    },
    output: {
      type: "string",
      multiple: true,
      value: "TARGET",
      summary: "Also write to oci:DIR[:TAG] or docker-archive:FILE; may be repeated",
    },
    load: { type: "boolean", summary: "Also load into the container engine at hand" },
    compression: {
      type: "string",
      value: "NAME",
      summary: "gzip or zstd, at its usual level. Default: what toolbox.yaml says",
    },
    "dry-run": { type: "boolean", summary: "Show what would be built, and what is there already" },
  },
  examples: [
    { command: "toolbox build", summary: "all images, all platforms" },
    { command: "toolbox build --frozen --json", summary: "in CI: every layer with its digest" },
    {
      command: "toolbox build --image team-tools --output docker-archive:tools.tar",
      summary: "for docker load",
    },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const targets = (listOption(options, "output") ?? []).map((text) => parseImageTarget(text));
    const files = await readWorkspaceFiles(context);
    const dryRun = options["dry-run"] === true;
    const { lock, diff } = await lockAndWrite(files, { frozen: isFrozen(options, context), dryRun }, context);
    if (!diff.same) context.note("toolbox.lock is up to date now; commit it.");
    const plan = planBuild(lock, planOptions(options));
    const build = await openBuildContext(files.workspace, context);
    if (dryRun) return showPlan(await describePlan(plan, build), context);
    const report = await applyBuild(plan, build);
    const measured = measureReport(report, plan);
    for (const line of formatLayerSizes(measured)) context.note(line);
    checkBudgets(report, budgetsOf(files.workspace));
    const [platform] = platformsOption(options) ?? [];
    await writeTargets(report, targets, build, { context, platform });
    if (options["load"] === true) await loadIntoEngine(report, context);
    showReport(measured, plan, context);
    return 0;
  },
};

function planOptions(options: CommandInput["options"]): Parameters<typeof planBuild>[1] {
  const algorithm = choiceOption(options, "compression", ["gzip", "zstd"] as const);
  return {
    images: listOption(options, "image"),
    platforms: platformsOption(options),
    compression: algorithm === undefined ? undefined : resolveCompression(algorithm),
  };
}

async function writeTargets(
  { images }: BuildReport,
  targets: readonly ReturnType<typeof parseImageTarget>[],
  { store }: BuildContext,
  { context, platform }: { readonly context: CommandContext; readonly platform: Platform | undefined },
): Promise<void> {
  const { cwd, signal, onProgress } = context;
  for (const target of targets) {
    const [only, ...more] = images;
    if (target.kind === "docker-archive" && more.length > 0) {
      throw new ToolingError("COMMAND_USAGE", "a docker archive holds one image, and several were built", {
        hint: `Choose one with --image: ${images.map(({ name }) => name).join(", ")}.`,
      });
    }
    const placed =
      target.kind === "oci"
        ? { ...target, folder: resolve(cwd, target.folder) }
        : { ...target, file: resolve(cwd, target.file) };
    for (const image of target.kind === "oci" ? images : [only].filter((each) => each !== undefined)) {
      await writeImage(image, placed, store, { platform, signal, onProgress });
    }
  }
}

async function loadIntoEngine({ images }: BuildReport, context: CommandContext): Promise<void> {
  const { loadImage } = await import("../load-image.ts");
  for (const image of images) await loadImage(image, context);
}

function showPlan({ images }: PlanReport, { print, printJson }: CommandContext): number {
  const rows = images.flatMap(({ name, platforms }) =>
    platforms.flatMap(({ platform, layers }) =>
      layers.map((layer) => [
        name,
        platform,
        layer.kind,
        layerName(layer),
        layer.cached === true ? "cached" : "to build",
      ]),
    ),
  );
  for (const line of formatColumns([["IMAGE", "PLATFORM", "KIND", "LAYER", "STATE"], ...rows])) print(line);
  printJson({ images });
  return 0;
}

function layerName({
  name,
  tools,
}: PlanReport["images"][number]["platforms"][number]["layers"][number]): string {
  return tools.length === 1 ? `${name} ${tools[0]?.version ?? ""}`.trim() : name;
}

function budgetsOf({ images }: Workspace): ReadonlyMap<string, PullBudget> {
  return new Map(
    [...images].flatMap(([name, { budget }]) => (budget === undefined ? [] : [[name, budget] as const])),
  );
}

function showReport(
  images: readonly MeasuredImage[],
  plan: BuildPlan,
  { print, printJson }: CommandContext,
): void {
  for (const image of images) {
    print(`${image.reference}  ${image.index.digest}`);
    for (const line of formatColumns(platformRows(image))) print(`  ${line}`);
  }
  printJson({ compression: plan.compression, images });
}

function platformRows({ platforms }: MeasuredImage): string[][] {
  return platforms.map(({ platform, manifest, layers, size }) => {
    const built = layers.filter(({ cached }) => !cached).length;
    return [platform, manifest.digest, formatSize(size), `${layers.length} layers, ${built} new`];
  });
}
