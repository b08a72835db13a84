// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { type CheckOutcome, type CheckResult, judgeAnswer, type ToolCheck } from "../checks/index.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { ToolingError } from "../core/error.ts";
import {
  EMBEDDED_NAMES,
  type Engine,
  type EngineHost,
  type EngineImage,
  type EngineName,
  runCaptured,
  selectEngine,
  useEngine,
} from "../engines/index.ts";
import type { ContentSource } from "../oci/index.ts";
import { planSession, type Session, type SessionImage } from "../session/index.ts";
import { describeCaller } from "./caller.ts";
import type { CheckedImage } from "./checked-image.ts";
import type { CommandContext } from "./command.ts";
import { findEmulation } from "./emulation.ts";
import { EXIT_CODES } from "./exit-code.ts";
import { engineHost } from "./run-session.ts";

/** What {@link runChecks} needs besides the images. */
export interface RunChecksOptions {
  readonly store: ContentSource;
  /** An engine's name, or `embedded`. Absent: the first that is ready. */
  readonly engine: string | undefined;
}

/** Milliseconds that one command may take; emulated on a busy machine it takes a hundred times as long as usual. */
const TIMEOUT = 1_800_000;

/** Commands at once. More than a few only make engines with a daemon wait for it. */
const LIMIT = 4;

/**
 * Runs all checks, several at once; the results stand in the order of the plan. Each command gets a folder and a HOME of
 * its own and nothing else of this machine.
 *
 * @throws {ToolingError} what engines throw when they cannot run at all
 */
export async function runChecks(
  images: readonly CheckedImage[],
  options: RunChecksOptions,
  context: CommandContext,
): Promise<readonly CheckResult[]> {
  const folder = join(context.paths.state, "tests");
  await mkdir(folder, { recursive: true });
  const scratch = await realpath(await mkdtemp(join(folder, "run-")));
  try {
    const jobs: CheckJob[] = [];
    for (const image of images) jobs.push(...(await prepareImage(image, options, context)));
    const limit = Math.min(LIMIT, availableParallelism());
    return await mapConcurrently(
      [...jobs.entries()],
      { limit, signal: context.signal },
      async ([id, job], signal) => runJob(job, join(scratch, String(id)), { ...context, signal }),
    );
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** One result to come. */
interface CheckJob {
  readonly result: Omit<CheckResult, "outcome" | "milliseconds">;
  /** What to run and how, or why that is not possible. */
  readonly work: ({ readonly check: ToolCheck } & CheckPlace) | { readonly reason: string };
}

/** An engine that holds the image. */
interface CheckPlace {
  readonly engine: EngineName;
  readonly image: SessionImage;
  readonly held: EngineImage;
  readonly host: EngineHost;
  readonly isForeign: boolean;
}

async function prepareImage(
  { name, image, checks, unknown }: CheckedImage,
  options: RunChecksOptions,
  context: CommandContext,
): Promise<CheckJob[]> {
  const basis = { image: name, platform: image.platform };
  const place = checks.length === 0 ? { reason: "" } : await findPlace(image, options, context);
  return [
    ...checks.map((check): CheckJob => {
      const { tool, name: title, command } = check;
      const work = "reason" in place ? place : { check, ...place };
      return { result: { ...basis, tool, name: title, command }, work };
    }),
    ...unknown.map((tool): CheckJob => {
      const reason = "neither the catalog nor the workspace knows this tool";
      return { result: { ...basis, tool, name: "version", command: [] }, work: { reason } };
    }),
  ];
}

async function findPlace(
  image: SessionImage,
  { store, engine: wish }: RunChecksOptions,
  context: CommandContext,
): Promise<CheckPlace | { readonly reason: string }> {
  const { signal, onProgress } = context;
  const plain = engineHost(context);
  const emulation = await findEmulation(image.platform, plain);
  if (emulation.kind === "missing") return { reason: emulation.reason };
  const host = emulation.kind === "program" ? { ...plain, emulator: emulation.program } : plain;
  const { reference } = image;
  const supply = {
    store,
    ...(reference !== undefined && {
      openRegistry: async () => (await import("./registry-access.ts")).openRepository(reference, context),
    }),
  };
  const use = async (engine: Engine): Promise<CheckPlace> => {
    const held = await engine.ensureImage(image, supply, { signal, onProgress });
    await engine.proveImage?.(image, held);
    return { engine: engine.name, image, held, host, isForeign: emulation.kind !== "native" };
  };
  const wished = wish ?? context.env["TOOLBOX_ENGINE"];
  return emulation.kind === "program"
    ? await useEmulating(wished, host, use, context)
    : await useEngine(wished, host, use, { signal, onProgress });
}

/** An emulator that has to be named can only be named by the embedded runner. */
async function useEmulating(
  wish: string | undefined,
  host: EngineHost,
  use: (engine: Engine) => Promise<CheckPlace>,
  { signal }: CommandContext,
): Promise<CheckPlace | { readonly reason: string }> {
  if (wish !== undefined && wish !== "embedded" && !EMBEDDED_NAMES.some((name) => name === wish)) {
    return {
      reason: `${wish} needs the kernel's help to run them: register qemu with binfmt, or use --engine embedded`,
    };
  }
  let chosen: Engine;
  try {
    chosen = (await selectEngine(wish ?? "embedded", host, { signal })).engine;
  } catch (error) {
    if (!(error instanceof ToolingError)) throw error;
    return { reason: `the embedded runner, which could emulate, cannot be used: ${error.message}` };
  }
  return await use(chosen);
}

async function runJob(
  { result, work }: CheckJob,
  folder: string,
  context: CommandContext,
): Promise<CheckResult> {
  if ("reason" in work) {
    return { ...result, outcome: { state: "not-run", reason: work.reason }, milliseconds: 0 };
  }
  const what = `${result.image} ${result.platform} ${result.tool}: ${result.name}`;
  context.onProgress({ type: "started", what });
  const session = await makeSession(work.check, work.image, folder, context);
  const start = performance.now();
  const outcome = await runCheck(work, session, context.signal);
  context.onProgress({ type: "finished", what, skipped: false });
  return { ...result, outcome, milliseconds: performance.now() - start };
}

async function makeSession(
  { command, files, env, network }: ToolCheck,
  image: SessionImage,
  folder: string,
  { home, env: own }: CommandContext,
): Promise<Session> {
  const work = join(folder, "work");
  await mkdir(work, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(work, path)), { recursive: true });
    await writeFile(join(work, path), text);
  }
  const { uid, gid, name: userName } = describeCaller();
  const terminal = { stdin: false, stdout: false };
  const host = {
    cwd: work,
    home,
    uid,
    gid,
    userName,
    umask: 0o022,
    stateDir: join(folder, "state"),
    terminal,
  };
  return planSession({
    image,
    argv: command,
    // A test that only works with this machine's settings would tell nothing about the image.
    host: { ...host, env: network === "none" ? {} : own },
    settings: { network, env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`) },
  });
}

async function runCheck(
  { check, engine, held, host, isForeign }: Extract<CheckJob["work"], CheckPlace>,
  session: Session,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const answer = await runCaptured({ engine, session, image: held }, host, { signal, timeout: TIMEOUT });
  if (answer.exitCode === EXIT_CODES.engine && answer.failure !== undefined) {
    // That says nothing about the image.
    throw new ToolingError("ENGINE_FAILED", answer.failure, { hint: answer.hint });
  }
  const text = `${answer.failure ?? ""}${answer.stdout}${answer.stderr}`;
  // Of a virtual machine's kernel we only learn this way that it has no emulator.
  if (isForeign && answer.exitCode !== 0 && /exec format error/i.test(text))
    return { state: "not-run", reason: `${engine} cannot run programs for ${session.image.platform}` };
  return judgeAnswer(check, { ...answer, endedAfter: answer.timedOut ? TIMEOUT / 1000 : undefined });
}
