// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StepRunner, StepSession } from "../build/index.ts";
import { ToolingError } from "../core/error.ts";
import { makeFolder } from "../core/make-folder.ts";
import type { OperationOptions } from "../core/operation.ts";
import {
  EMBEDDED_NAMES,
  type Engine,
  type EngineHost,
  type EngineImage,
  selectEngine,
  useEngine,
} from "../engines/index.ts";
import type { Session } from "../session/index.ts";
import type { CommandContext } from "./command.ts";
import { engineHost, hostPlatform } from "./run-session.ts";

/** Where a script stands inside, and where what it says is kept. */
const STEP_FOLDER = "/work";

/** Lines of a failed step that are shown. */
const LAST_LINES = 4;

/**
 * Runs steps of a build with the embedded runner, which leaves nothing behind, else with the first engine that is
 * ready. `TOOLBOX_ENGINE` decides where it is set.
 */
export function openStepRunner(context: CommandContext): StepRunner {
  return {
    platform: hostPlatform(),
    run: async (step, options) => {
      // Unpacked images and notes on them go with the step.
      const host = { ...engineHost(context), dataDir: step.scratch, stateDir: step.scratch };
      const session = await planStep(step, host);
      const wish = await chooseEngine(context.env["TOOLBOX_ENGINE"], host, options);
      await useEngine(
        wish,
        host,
        async (engine) => runStep(engine, { step, session, host }, options),
        options,
      );
    },
  };
}

/** What to ask for. Absent: any engine. */
async function chooseEngine(
  wish: string | undefined,
  host: EngineHost,
  options: OperationOptions,
): Promise<string | undefined> {
  if (wish !== undefined && wish !== "") return wish;
  try {
    await selectEngine("embedded", host, options);
    return "embedded";
  } catch (error) {
    if (!(error instanceof ToolingError)) throw error;
    return undefined;
  }
}

async function runStep(
  engine: Engine,
  {
    step,
    session,
    host,
  }: { readonly step: StepSession; readonly session: Session; readonly host: EngineHost },
  options: OperationOptions,
): Promise<void> {
  const { digest, platform, source } = step;
  const held = await engine.ensureImage({ digest, platform }, { store: source }, options);
  try {
    await engine.proveImage?.({ digest, platform }, held);
    options.signal?.throwIfAborted();
    const { exitCode, failure } = await engine.run(session, held);
    if (exitCode !== 0) throw await stepFailed(step, exitCode, failure);
  } finally {
    await forgetImage(engine, held, host);
  }
}

/** Engines give their own output to the command; here it belongs to a file, because ours is for people and JSON. */
async function planStep(
  { digest, platform, script, env, folders, scratch }: StepSession,
  host: EngineHost,
): Promise<Session> {
  const own = join(scratch, "step");
  await makeFolder(own);
  await writeFile(join(own, "script"), script);
  const quiet = `exec sh -eu ${STEP_FOLDER}/script >${STEP_FOLDER}/output 2>&1 </dev/null`;
  return {
    image: { digest, platform },
    argv: ["sh", "-c", quiet],
    workdir: "/tmp",
    mounts: [{ source: own, target: STEP_FOLDER }, ...folders].map((mount) => ({
      ...mount,
      readOnly: false,
    })),
    files: [],
    copies: [],
    env,
    secrets: [],
    user: { uid: host.uid, gid: host.gid, name: "toolbox", group: "toolbox", home: "/tmp" },
    tty: false,
    network: "none",
    hostname: "toolbox",
    umask: 0o022,
    limits: {},
    ports: [],
  };
}

async function stepFailed(
  { scratch }: StepSession,
  exitCode: number,
  failure: string | undefined,
): Promise<ToolingError> {
  const output = await readFile(join(scratch, "step", "output"), "utf8").catch(() => "");
  const lines = output.trimEnd().split("\n").slice(-LAST_LINES).join(" | ");
  return new ToolingError("BUILD_FAILED", `a step ended with ${exitCode}: ${failure ?? lines}`, {
    hint: "Correct its script in the tool's definition; it may write below its folders only.",
  });
}

/** Engines with a store of their own would keep each image. One that is in use elsewhere stays. */
async function forgetImage({ name }: Engine, { location }: EngineImage, host: EngineHost): Promise<void> {
  if (EMBEDDED_NAMES.includes(name)) return;
  const program = await host.programs.find(name, host.env["PATH"] ?? "");
  if (program !== undefined)
    await host.programs.capture(program, ["image", "rm", location], { env: host.env });
}
