// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../core/operation.ts";
import type { Session } from "../session/index.ts";
import type { EngineHost, EngineName, EngineStatus, SandboxLaunch } from "./engine.ts";
import type { HostTools } from "./host-tools.ts";
import type { ForegroundCommand } from "./run-foreground.ts";
import type { UnpackedImage } from "./unpacked-image.ts";

/** A session that stands ready on disk, and the tools to run it with. */
export interface SandboxRequest {
  /** With all mounts placed and the complete environment, the image's own included. */
  readonly session: Session;
  readonly image: UnpackedImage;
  readonly tools: HostTools;
  readonly host: EngineHost;
}

/** How an embedded runner starts a command, without its environment. */
export interface SandboxCommand extends Omit<ForegroundCommand, "env"> {
  /** Removes what was made for this one run. Absent: nothing was. */
  readonly clean?: (() => Promise<void>) | undefined;
}

/** The engine's part of a {@link SandboxLaunch}. */
export type SandboxLaunchLine = Pick<SandboxLaunch, "program" | "argv" | "readyFile" | "secretsFrom">;

/** One way to run an unpacked image without an engine. */
export interface Sandbox {
  readonly name: EngineName;
  detect(tools: HostTools, host: EngineHost, options?: OperationOptions): Promise<EngineStatus>;
  /** Why it cannot keep the limits of a session; fits behind "because". Absent: it can. */
  refusesLimits(host: EngineHost): string | undefined;
  /** Makes what must be there first, and gives the command line. */
  plan(request: SandboxRequest): Promise<SandboxCommand>;
  /**
   * The command line for launchers, which send signals to the command as {@link plan} does and ignore SIGINT and SIGQUIT
   * around it. Absent: it needs more than that.
   */
  launch?(request: SandboxRequest): Promise<SandboxLaunchLine | undefined>;
  /** Whether a missing command ends with 127 (or 126) by itself. */
  tellsMissingCommands(request: SandboxRequest): boolean;
}
