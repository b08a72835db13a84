// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Session, SessionImage } from "../session/index.ts";
import { clientEnvironment, type ContainerDialect, renderRunArguments } from "./container-command.ts";
import { type EngineProbe, PROBE_TIMEOUT, readProbe } from "./container-status.ts";
import type {
  Engine,
  EngineHost,
  EngineImage,
  EngineStatus,
  ImageSupply,
  LaunchPlan,
  RunOutcome,
  WarmEngine,
} from "./engine.ts";
import { cureEngineFault, findEngineFault } from "./engine-trial.ts";
import { forgetHeldImage, readHeldImage, writeHeldImage } from "./held-image.ts";
import { findInit } from "./host-tools.ts";
import { signalContainer } from "./podman-signal.ts";
import { LAUNCHED_NAME } from "./launch-piped.ts";
import { prepareSession } from "./prepare-session.ts";
import type { ForegroundProgram } from "./program-runner.ts";
import { refuseRootlessLimits } from "./refuse-limits.ts";
import { forgetStatus, rememberFault } from "./remembered-status.ts";
import { runForeground } from "./run-foreground.ts";
import type { ForwardedSignal } from "./signal-source.ts";
import { ContainerWarmth } from "./warm-sessions.ts";

/** docker's own exit code for "the engine could not do it", which a command may give as well. */
const ENGINE_EXIT_CODE = 125;

/** podman's for "the runtime was not allowed to". */
const DENIED_EXIT_CODE = 126;

/** Docker, podman or nerdctl through its command line client. */
export class ContainerEngine implements Engine {
  readonly name: ContainerDialect;
  readonly warm: WarmEngine;
  readonly #host: EngineHost;
  #probe: Promise<EngineProbe> | undefined;
  #supply: { image: SessionImage; supply: ImageSupply } | undefined;

  constructor(name: ContainerDialect, host: EngineHost) {
    this.name = name;
    this.warm = new ContainerWarmth(name, host);
    this.#host = host;
  }

  async detect({ signal }: OperationOptions = {}): Promise<EngineStatus> {
    const program = await this.#find();
    if (program === undefined) {
      const cure = `Install ${this.name}, or use the embedded runner with --engine=embedded.`;
      return { state: "missing", reason: `"${this.name}" is not on PATH`, cure };
    }
    return (await this.#ask(program, signal)).status;
  }

  async ensureImage(
    image: SessionImage,
    supply: ImageSupply,
    options: OperationOptions = {},
  ): Promise<EngineImage> {
    this.#supply = { image, supply };
    const held = await readHeldImage(this.name, image, this.#host);
    if (held !== undefined) return held;
    return this.#provide(image, supply, options);
  }

  async proveImage(image: SessionImage, held: EngineImage): Promise<void> {
    if (held.proven === true) return;
    const program = await this.#find();
    if (program === undefined) throw engineNotFound(this.name);
    const fault = await this.#findFault(program, held);
    if (fault !== undefined) throw new ToolingError("ENGINE_UNUSABLE", fault.reason, { hint: fault.cure });
    await writeHeldImage(this.name, image, { host: this.#host, held: { ...held, proven: true } });
  }

  async run(session: Session, image: EngineImage): Promise<RunOutcome> {
    const prepared = await prepareSession(session, this.#host.stateDir);
    const warm = await this.warm.run(prepared, image);
    if (warm !== undefined) return warm;
    const outcome = await this.#runOnce(prepared, image);
    if (outcome.exitCode !== ENGINE_EXIT_CODE && outcome.exitCode !== DENIED_EXIT_CODE) return outcome;
    await forgetStatus(this.name, this.#host);
    const known = this.#supply;
    // Either the command's own code, or the engine could not start it. Only an image that went away is ours to mend.
    if (known === undefined || (await this.#hasImage(image))) return this.#explain(outcome, image);
    await forgetHeldImage(this.name, known.image, this.#host);
    return this.#runOnce(prepared, await this.#provide(known.image, known.supply, {}));
  }

  async #explain(outcome: RunOutcome, image: EngineImage): Promise<RunOutcome> {
    const program = await this.#find();
    const fault = program === undefined ? undefined : await this.#findFault(program, image);
    if (fault === undefined) return outcome;
    // The next command has to see for itself.
    if (this.#supply !== undefined) await forgetHeldImage(this.name, this.#supply.image, this.#host);
    return { exitCode: ENGINE_EXIT_CODE, failure: fault.reason, hint: fault.cure };
  }

  /** Why the engine cannot start anything, which is remembered. Absent: it can. */
  async #findFault(
    program: string,
    image: EngineImage,
  ): Promise<{ readonly reason: string; readonly cure: string } | undefined> {
    const told = await findEngineFault({ program, name: this.name }, image, this.#host);
    if (told === undefined) return undefined;
    const reason = `${this.name} is there, but cannot start anything: ${told}`;
    const fault = { reason, cure: cureEngineFault(this.name, told) };
    await rememberFault(this.name, fault, this.#host);
    return fault;
  }

  async plan(session: Session, image: EngineImage): Promise<LaunchPlan> {
    const prepared = await prepareSession(session, this.#host.stateDir);
    return {
      kind: "client",
      ...(await this.#render(prepared, image, LAUNCHED_NAME)),
      signalsContainer: this.name === "podman",
      sources: prepared.mounts.map(({ source }) => source),
      links: new Map(),
      warm: await this.warm.plan(prepared, image),
    };
  }

  async #runOnce(session: Session, image: EngineImage): Promise<RunOutcome> {
    const name = `toolbox-${randomUUID()}`;
    const plan = await this.#render(session, image, name);
    const env = clientEnvironment(this.#host, session);
    const endLeftBehind = async (): Promise<boolean> => {
      // The grace is for a command that cleans up behind itself; podman has ended it by now.
      const stop = ["stop", "--time=2", name];
      return (await this.#host.programs.capture(plan.program, stop, { env: this.#host.env })).exitCode === 0;
    };
    const deliver = async (signal: ForwardedSignal, client: ForegroundProgram): Promise<void> =>
      signalContainer({ podman: plan.program, container: name }, { signal, client }, this.#host);
    const signals = this.name === "podman" ? { deliver } : {};
    return runForeground({ ...plan, ...signals, env, endLeftBehind }, this.#host);
  }

  async #render(
    session: Session,
    image: EngineImage,
    name?: string,
  ): Promise<Pick<LaunchPlan, "program" | "argv">> {
    const program = await this.#find();
    if (program === undefined) throw engineNotFound(this.name);
    if (image.rootless === true) await refuseRootlessLimits(session, this.name);
    // A docker that is podman in disguise still reads docker's options; only its user mapping differs.
    const argv = renderRunArguments(session, image.location, {
      dialect: this.name,
      name,
      rootless: image.rootless ?? false,
      selinux: this.#host.selinux ?? false,
      init: this.name === "podman" ? await findInit(this.#host) : undefined,
    });
    return { program, argv };
  }

  async #provide(image: SessionImage, supply: ImageSupply, options: OperationOptions): Promise<EngineImage> {
    const program = await this.#find();
    if (program === undefined) throw engineNotFound(this.name);
    const { status, dialect } = await this.#ask(program, options.signal);
    if (status.state !== "ready") {
      throw new ToolingError("ENGINE_NOT_RUNNING", `${this.name} is not usable: ${status.reason}`, {
        hint: status.cure,
      });
    }
    // Packing an image loads much that a run of a held one never needs.
    const { provideImage } = await import("./container-image.ts");
    const held = await provideImage({ program, dialect, host: this.#host }, { image, supply }, options);
    await writeHeldImage(this.name, image, { host: this.#host, held });
    return held;
  }

  async #hasImage({ location }: EngineImage): Promise<boolean> {
    const program = await this.#find();
    if (program === undefined) return true;
    const { env, programs } = this.#host;
    const { exitCode } = await programs.capture(program, ["image", "inspect", location], { env });
    return exitCode === 0;
  }

  #find(): Promise<string | undefined> {
    return this.#host.programs.find(this.name, this.#host.env["PATH"]);
  }

  #ask(program: string, signal: AbortSignal | undefined): Promise<EngineProbe> {
    const { env, programs } = this.#host;

    this.#probe ??= programs
      .capture(program, ["version", "--format={{json .}}"], { env, timeout: PROBE_TIMEOUT, signal })
      .then((answer) => readProbe(this.name, answer));
    return this.#probe;
  }
}

/** The error for an engine whose client is not installed. */
function engineNotFound(name: string): ToolingError {
  return new ToolingError("ENGINE_NOT_FOUND", `"${name}" is not installed`, {
    hint: "Install it, or choose another engine with --engine (the embedded runner needs none).",
  });
}
