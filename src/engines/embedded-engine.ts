// SPDX-License-Identifier: Apache-2.0
import { access } from "node:fs/promises";
import { join } from "node:path";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Session, SessionImage } from "../session/index.ts";
import type {
  Engine,
  EngineHost,
  EngineImage,
  EngineName,
  EngineStatus,
  ImageSupply,
  LaunchPlan,
  RunOutcome,
} from "./engine.ts";
import { readHeldImage, writeHeldImage } from "./held-image.ts";
import { findHostTools, type HostTools } from "./host-tools.ts";
import { placeSession } from "./place-session.ts";
import { forgetStatus } from "./remembered-status.ts";
import { refuseLimits, refuseNetwork } from "./refuse-limits.ts";
import { refuseCommand } from "./resolve-command.ts";
import { runForeground } from "./run-foreground.ts";
import type { Sandbox, SandboxRequest } from "./sandbox.ts";
import { networkMounts } from "./sandbox-mounts.ts";
import { readUnpackedImage, type UnpackedImage } from "./unpacked-image.ts";

/** How the runners end when they cannot make a sandbox. Commands give these as well; then asking again costs little. */
const SETUP_EXIT_CODES: readonly number[] = [1, 125];

/** Runs images that it unpacked itself, in a sandbox that needs no daemon. */
export class EmbeddedEngine implements Engine {
  readonly name: EngineName;
  readonly #sandbox: Sandbox;
  readonly #host: EngineHost;
  #tools: Promise<HostTools> | undefined;

  constructor(sandbox: Sandbox, host: EngineHost) {
    this.name = sandbox.name;
    this.#sandbox = sandbox;
    this.#host = host;
  }

  async detect(options: OperationOptions = {}): Promise<EngineStatus> {
    if (this.#host.os !== "linux") {
      const cure = "Install docker or podman: only they can run Linux programs here.";
      return { state: "missing", reason: "the embedded runner needs Linux", cure };
    }
    return this.#sandbox.detect(await this.#findTools(), this.#host, options);
  }

  async ensureImage(
    image: SessionImage,
    supply: ImageSupply,
    options: OperationOptions = {},
  ): Promise<EngineImage> {
    const held = await readHeldImage("embedded", image, this.#host);
    if (held !== undefined && (await readUnpackedImage(held.location)) !== undefined) return held;
    // Unpacking loads much that a run of a held image never needs.
    const { unpackImage } = await import("./unpack-image.ts");
    const location = await unpackImage({ image, supply }, this.#host, options);
    await writeHeldImage("embedded", image, { host: this.#host, held: { location } });
    return { location };
  }

  async run(session: Session, { location }: EngineImage): Promise<RunOutcome> {
    const image = await readUnpackedImage(location);
    if (image === undefined) {
      throw new ToolingError("IMAGE_NOT_FOUND", `"${location}" does not hold an unpacked image any more`, {
        hint: "Run the same command again: it is unpacked anew.",
      });
    }
    this.#refuse(session);
    const request = await this.#place(session, image);
    const placed = request.session;
    if (!this.#sandbox.tellsMissingCommands(request)) {
      const exitCode = await refuseCommand(placed, image.root);
      if (exitCode !== undefined)
        return { exitCode, failure: describeMissing(session.argv[0] ?? "", exitCode) };
    }
    const command = await this.#sandbox.plan(request);
    try {
      const outcome = await runForeground({ ...command, env: placed.env }, this.#host);
      if (SETUP_EXIT_CODES.includes(outcome.exitCode)) await forgetStatus(this.name, this.#host);
      return outcome;
    } finally {
      await command.clean?.();
    }
  }

  async plan(session: Session, { location }: EngineImage): Promise<LaunchPlan | undefined> {
    this.#refuse(session);
    const image = await readUnpackedImage(location);
    if (image === undefined || this.#sandbox.launch === undefined || !(await tellsChildren()))
      return undefined;
    const placed = await placeSession(session, image, this.#host.stateDir);
    const request = { session: placed, image, tools: await this.#findTools(), host: this.#host };
    const line = await this.#sandbox.launch(request);
    // env(1) would take a program with an equals sign in its path for a variable.
    if (line === undefined || line.program.includes("=")) return undefined;
    const links = (await networkMounts(session)).map(({ source, target }): [string, string] => [
      target,
      source,
    ]);
    return {
      kind: "sandbox",
      ...line,
      env: placed.env,
      sources: [join(location, "image.json"), ...placed.mounts.map(({ source }) => source)],
      links: new Map(links),
    };
  }

  async #place(session: Session, image: UnpackedImage): Promise<SandboxRequest> {
    const { emulator, stateDir } = this.#host;
    const tools = await this.#findTools();
    if (emulator === undefined)
      return { session: await placeSession(session, image, stateDir), image, tools, host: this.#host };
    const { emulateCommand, mountEmulator, withoutLaunchers } = await import("./emulated-session.ts");
    const placed = await placeSession(mountEmulator(session, emulator), image, stateDir);
    const emulated = (await emulateCommand(placed, image.root)) ?? placed;
    return { session: emulated, image: withoutLaunchers(image), tools, host: this.#host };
  }

  #refuse(session: Session): void {
    const why = this.#sandbox.refusesLimits(this.#host);
    if (why !== undefined) refuseLimits(session, this.name, why);
    refuseNetwork(session, this.name);
  }

  #findTools(): Promise<HostTools> {
    this.#tools ??= findHostTools(this.#host);
    return this.#tools;
  }
}

/** Whether this kernel lists the children of a process, which is how a launcher finds the command. */
async function tellsChildren(): Promise<boolean> {
  return access(`/proc/${process.pid}/task/${process.pid}/children`).then(
    () => true,
    () => false,
  );
}

function describeMissing(name: string, exitCode: 126 | 127): string {
  return exitCode === 127 ? `"${name}" is not in the image` : `"${name}" cannot be executed`;
}
