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
import type { Publication, Published } from "../publication.ts";
import {
  nameReferences,
  PUBLISH_OPTIONS,
  type PublishTarget,
  readPublishTarget,
} from "../registry-access.ts";
import { openBuildContext } from "../workbench.ts";
import { readWorkspaceFiles } from "../workspace-files.ts";

/** `toolbox build` */
export const buildCommand: Command = {
  summary: "Build the images of the workspace into the local store",
  usage: "",
  details: [
    "A lock that does not answer toolbox.yaml is brought up to date first, unless --frozen forbids it.",
    "What each layer weighs is shown on stderr. An image that passes its `budget:` stays in the store, to be looked at,",
    "but the build fails and nothing is written, loaded or published.",
    "With --push, layers travel while others are still being made; tags are written when all images are whole.",
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
    push: { type: "boolean", summary: "Also publish, as `toolbox publish` does; --tag and --to say where" },
    ...PUBLISH_OPTIONS,
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
    { command: "toolbox build --frozen --push --tag 1.4.0", summary: "build and publish in one go" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const targets = (listOption(options, "output") ?? []).map((text) => parseImageTarget(text));
    const files = await readWorkspaceFiles(context);
    const push = pushTarget(options, files.workspace.registry);
    const dryRun = options["dry-run"] === true;
    const { lock, diff } = await lockAndWrite(files, { frozen: isFrozen(options, context), dryRun }, context);
    if (!diff.same) context.note("toolbox.lock is up to date now; commit it.");
    const plan = planBuild(lock, planOptions(options));
    const build = await openBuildContext(files.workspace, context);
    // A name that cannot be is told before anything is built.
    const references = push && plan.images.flatMap(({ name }) => nameReferences(push, name));
    if (dryRun) return showPlan(await describePlan(plan, build), references, context);
    const publication = push && (await openPublication(push, build, context));
    try {
      const report = await applyBuild(plan, { ...build, onLayer: publication && sendNew(plan, publication) });
      const measured = measureReport(report, plan);
      for (const line of formatLayerSizes(measured)) context.note(line);
      checkBudgets(report, budgetsOf(files.workspace));
      const [platform] = platformsOption(options) ?? [];
      await writeTargets(report, targets, build, { context, platform });
      if (options["load"] === true) await loadIntoEngine(report, context);
      const published = publication && (await publishAll(report, publication));
      showReport({ images: measured, published }, plan, context);
    } finally {
      await publication?.close();
    }
    return 0;
  },
};

/** Absent: nothing is to be pushed. */
function pushTarget(
  options: CommandInput["options"],
  registry: string | undefined,
): PublishTarget | undefined {
  if (options["push"] === true) return readPublishTarget(options, registry);
  const idle = Object.keys(PUBLISH_OPTIONS).find((name) => options[name] !== undefined);
  if (idle === undefined) return undefined;
  throw new ToolingError("COMMAND_USAGE", `--${idle} is for --push, which was not given`, {
    hint: "Add --push, or run `toolbox publish` after the build.",
  });
}

/** Loaded by who pushes. */
async function openPublication(
  target: PublishTarget,
  { store }: BuildContext,
  context: CommandContext,
): Promise<Publication> {
  const { Publication } = await import("../publication.ts");
  return new Publication(target, store, context);
}

/** What was there before is likely to be in the registry as well; that is asked for once, at the end. */
function sendNew(plan: BuildPlan, publication: Publication): BuildContext["onLayer"] {
  return (layer, built) => {
    const image = plan.images.find(({ platforms }) =>
      platforms.some(({ layers }) => layers.some(({ key }) => key === layer.key)),
    );
    if (image !== undefined && !built.cached) publication.sendAhead({ image: image.name, layer, built });
  };
}

async function publishAll({ images }: BuildReport, publication: Publication): Promise<readonly Published[]> {
  const published: Published[] = [];
  for (const { name, index } of images) published.push(...(await publication.publish(name, index)));
  return published;
}

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

function showPlan(
  { images }: PlanReport,
  references: readonly string[] | undefined,
  { print, printJson }: CommandContext,
): number {
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
  for (const reference of references ?? []) print(`to publish as ${reference}`);
  printJson({ images, ...(references !== undefined && { references }) });
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
  { images, published }: { images: readonly MeasuredImage[]; published: readonly Published[] | undefined },
  plan: BuildPlan,
  { print, printJson }: CommandContext,
): void {
  for (const image of images) {
    print(`${image.reference}  ${image.index.digest}`);
    for (const line of formatColumns(platformRows(image))) print(`  ${line}`);
  }
  for (const { reference } of published ?? []) print(`published as ${reference}`);
  printJson({ compression: plan.compression, images, ...(published !== undefined && { published }) });
}

function platformRows({ platforms }: MeasuredImage): string[][] {
  return platforms.map(({ platform, manifest, layers, size }) => {
    const built = layers.filter(({ cached }) => !cached).length;
    return [platform, manifest.digest, formatSize(size), `${layers.length} layers, ${built} new`];
  });
}
