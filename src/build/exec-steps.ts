// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ArchiveEntry, sortEntries } from "../archive/index.ts";
import type { ExecStep } from "../catalog/index.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { makeFolder } from "../core/make-folder.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import type { ContentSource } from "../oci/index.ts";
import { describeOwner, type OwnedFiles } from "./layer-files.ts";
import { formatLayerKey } from "./layer-key.ts";
import type { LayerRecord } from "./layer-record.ts";
import type { PlannedLayer } from "./plan.ts";
import { fillStepFolder, findMachineCode, liesIn, readStepFolder } from "./step-folder.ts";
import { writeStepImage } from "./step-image.ts";
import type { StepRunner } from "./step-runner.ts";

/** What running the steps of a layer needs. */
export interface ExecStepsContext extends OperationOptions {
  readonly cacheDir: string;
  readonly store: ContentSource;
  /** Absent: nothing can be run here. */
  readonly runner?: StepRunner | undefined;
  /** The layer as it is planned for another platform. */
  readonly planFor: (platform: Platform) => PlannedLayer;
  readonly buildBase: (platform: Platform) => Promise<LayerRecord>;
  readonly readFiles: (layer: PlannedLayer) => Promise<OwnedFiles>;
}

/**
 * The files of a layer after its steps. They run on this machine's own CPU only; what they leave belongs to the layer
 * of every platform, as long as no machine code is in it.
 *
 * @throws {ToolingError} `PLATFORM_UNAVAILABLE`, `CONFIG_INVALID`, `BUILD_FAILED`, and what the runner throws
 */
export async function runExecSteps(
  layer: PlannedLayer,
  files: OwnedFiles,
  steps: readonly ExecStep[],
  context: ExecStepsContext,
): Promise<OwnedFiles> {
  if (steps.length === 0) return files;
  const folders = [...new Set(steps.flatMap(({ writes }) => writes))];
  const { platform } = requireRunner(layer, context);
  const own =
    layer.platform === platform ? { layer, files } : { layer: planRunnable(layer, platform, context) };
  const root = await ensureResult(own, { steps, folders }, context);
  const written = await readStepFolder(root, folders);
  if (layer.platform !== platform) await refuseMachineCode(layer, platform, root, written);
  const others = files.entries.filter(({ path }) => !liesIn(path, folders));
  return { ...files, entries: sortEntries([...others, ...written]) };
}

interface RunnableLayer {
  readonly layer: PlannedLayer;
  /** Absent: not read yet. */
  readonly files?: OwnedFiles;
}

interface StepPlan {
  readonly steps: readonly ExecStep[];
  readonly folders: readonly string[];
}

/** The folder with what the steps left, from an earlier build or made now. */
async function ensureResult(
  { layer, files }: RunnableLayer,
  plan: StepPlan,
  context: ExecStepsContext,
): Promise<string> {
  const key = formatLayerKey({ layer: layer.key, steps: plan.steps });
  const result = join(context.cacheDir, "steps", key.slice(key.indexOf(":") + 1));
  if (await isThere(result)) return result;
  await makeFolder(join(context.cacheDir, "steps"));
  const work = await mkdtemp(join(context.cacheDir, "steps", "run-"));
  const opened = files ?? (await context.readFiles(layer));
  try {
    await runIn(work, { layer, files: opened }, plan, context);
    await publish(join(work, "root"), result);
    return result;
  } finally {
    if (files === undefined) await opened.dispose?.();
    await rm(work, { recursive: true, force: true });
  }
}

async function runIn(
  work: string,
  { layer, files }: Required<RunnableLayer>,
  { steps, folders }: StepPlan,
  context: ExecStepsContext,
): Promise<void> {
  const { store, signal, onProgress } = context;
  const { platform } = layer;
  const runner = requireRunner(layer, context);
  const what = `step of ${layer.name} ${platform}`;
  onProgress?.({ type: "started", what });
  const base = await context.buildBase(platform);
  refuseBaseFolders(layer, base, folders);
  const root = join(work, "root");
  await fillStepFolder(root, folders, files.entries, { signal });
  const parts = { platform, base, store, entries: files.entries };
  const image = await writeStepImage(join(work, "store"), parts, { signal });
  const mounts = folders.map((folder) => ({ source: join(root, folder), target: `/${folder}` }));
  for (const [index, { script }] of steps.entries()) {
    const scratch = join(work, `scratch-${index}`);
    await makeFolder(scratch);
    await runner.run(
      { ...image, platform, script, env: STEP_ENV, folders: mounts, scratch },
      { signal, onProgress },
    );
  }
  onProgress?.({ type: "finished", what, skipped: false });
}

/** All that a script could ask for is the same everywhere: clock of its own making, language, time zone, home. */
const STEP_ENV: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/tmp",
  LANG: "C.UTF-8",
  LC_ALL: "C.UTF-8",
  TZ: "UTC",
  SOURCE_DATE_EPOCH: "0",
  FORCE_SOURCE_DATE: "1",
  PYTHONHASHSEED: "0",
  PERL_HASH_SEED: "0",
  PERL_PERTURB_KEYS: "0",
};

/** Another build may have been faster; its result is the same. */
async function publish(root: string, result: string): Promise<void> {
  try {
    await rename(root, result);
  } catch (error) {
    if (!isSystemError(error, "EEXIST", "ENOTEMPTY")) throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return false;
    throw error;
  }
}

function requireRunner({ tools, platform }: PlannedLayer, { runner }: ExecStepsContext): StepRunner {
  if (runner !== undefined) return runner;
  throw new ToolingError(
    "PLATFORM_UNAVAILABLE",
    `${describeOwner(tools)} has to run a step for ${platform}, and nothing can be run here`,
    { hint: "Build on a machine with bubblewrap, docker or podman." },
  );
}

function planRunnable(layer: PlannedLayer, platform: Platform, { planFor }: ExecStepsContext): PlannedLayer {
  try {
    return planFor(platform);
  } catch (error) {
    if (!(error instanceof ToolingError) || error.code !== "PLATFORM_UNAVAILABLE") throw error;
    throw new ToolingError(
      "PLATFORM_UNAVAILABLE",
      `${describeOwner(layer.tools)} has to run a step, which this machine can do for ${platform} only`,
      {
        hint: `Add "${platform}" to "platforms" and run "toolbox lock", or build on a machine of ${layer.platform}.`,
        cause: error,
      },
    );
  }
}

async function refuseMachineCode(
  { tools, platform }: PlannedLayer,
  from: Platform,
  root: string,
  written: readonly ArchiveEntry[],
): Promise<void> {
  const path = await findMachineCode(root, written);
  if (path === undefined) return;
  throw new ToolingError(
    "PLATFORM_UNAVAILABLE",
    `${describeOwner(tools)} has a step whose result "${path}" is machine code of ${from}, so it cannot be used for ${platform}`,
    { hint: `Build ${platform} on a machine of that kind: toolbox build --platform ${platform}.` },
  );
}

function refuseBaseFolders(
  { tools }: PlannedLayer,
  { files }: LayerRecord,
  folders: readonly string[],
): void {
  const path = Object.keys(files).find((path) => liesIn(path, folders));
  if (path === undefined) return;
  throw new ToolingError(
    "CONFIG_INVALID",
    `${describeOwner(tools)} has a step that writes a folder of the base, where "${path}" is`,
    { hint: 'Let its "writes" name folders that only the tool has.' },
  );
}
