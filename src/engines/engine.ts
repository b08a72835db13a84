// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../core/operation.ts";
import type { ContentSource } from "../oci/index.ts";
import type { Session, SessionImage } from "../session/index.ts";
import type { ClientOutput } from "./client-output.ts";
import type { ProgramRunner } from "./program-runner.ts";
import type { SignalSource } from "./signal-source.ts";

/** Engines by the name that `--engine` takes. The last three are the embedded runner. */
export type EngineName = "docker" | "podman" | "nerdctl" | "bubblewrap" | "namespaces" | "runc" | "crun";

/** All engines, in the order in which they are tried when nobody chooses. */
export const ENGINE_NAMES: readonly EngineName[] = [
  "docker",
  "podman",
  "nerdctl",
  "bubblewrap",
  "namespaces",
  "crun",
  "runc",
];

/** What engines know of the machine. All of it is passed in, so that a test can describe another machine. */
export interface EngineHost {
  readonly os: NodeJS.Platform;
  readonly uid: number;
  readonly gid: number;
  /** The caller's environment: what an engine's own client needs (PATH, DOCKER_HOST, XDG_RUNTIME_DIR). */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. Unpacked images live here. */
  readonly dataDir: string;
  /** Absolute. Generated files and notes on what engines hold live here. */
  readonly stateDir: string;
  readonly programs: ProgramRunner;
  readonly signals: SignalSource;
  /** Whether a terminal is attached, whose Ctrl-C reaches children without our help. */
  readonly hasTerminal: boolean;
  /** Where an engine's client writes. Absent: where a reader cannot go away. */
  readonly output?: ClientOutput | undefined;
  /**
   * Absolute path of a static program that runs those of the images' CPU (`qemu-aarch64-static`), which the embedded runner
   * starts commands with. Absent: the machine runs them by itself.
   */
  readonly emulator?: string | undefined;
  /** The clock. Absent: the machine's. */
  readonly now?: (() => Date) | undefined;
  /** Whether SELinux is enforced, so that unlabelled mounts would be unreadable. */
  readonly selinux?: boolean | undefined;
}

/** Whether an engine can be used now. `cure` is one imperative sentence. */
export type EngineStatus =
  | { readonly state: "ready"; readonly version: string; readonly notes: readonly string[] }
  | { readonly state: "missing"; readonly reason: string; readonly cure: string }
  | { readonly state: "stopped"; readonly reason: string; readonly cure: string };

/** An image that an engine has at hand. */
export interface EngineImage {
  /** What the engine calls it: a name or an id, or the folder that it was unpacked to. */
  readonly location: string;
  /** Whether the engine runs as a plain user. Absent: it does not. */
  readonly rootless?: boolean | undefined;
  /** Whether the engine was seen to start it. Absent: nobody has looked. */
  readonly proven?: boolean | undefined;
}

/** Where an image can come from. */
export interface ImageSupply {
  /** The local store. */
  readonly store: ContentSource;
  /** The registry of the image's reference. Called only when the store lacks the image. Absent: there is none. */
  readonly openRegistry?: (() => Promise<ContentSource>) | undefined;
}

/** How a command ended. */
export interface RunOutcome {
  /** 0-255: the command's own; 125 the engine's; 126 not executable; 127 not found; 128+n ended by signal n. */
  readonly exitCode: number;
  /** Why the command did not start, for stderr. Absent: whoever knew has said so already. */
  readonly failure?: string | undefined;
  /** What to do about the failure, one imperative sentence. */
  readonly hint?: string | undefined;
}

/** A container that stays, so that the next command of the same session starts at once. */
export interface WarmSession {
  /** What the engine calls it. */
  readonly name: string;
  /** All that its commands share, in one word. */
  readonly key: string;
  /** Host path of what stands at /work. */
  readonly workspace: string;
  /** Reference, or digest when it has none. */
  readonly image: string;
  /** The engine's word: `running`. */
  readonly status: string;
}

/** Keeps containers warm. */
export interface WarmEngine {
  /**
   * Starts the session's container, or finds it running. It ends by itself after `idle` seconds without a command.
   *
   * @throws {ToolingError} `ENGINE_FAILED`, `ENGINE_NOT_FOUND`, `SESSION_INVALID`, `MOUNT_REFUSED`
   */
  up(
    session: Session,
    image: EngineImage,
    options: OperationOptions & { readonly idle: number },
  ): Promise<WarmSession & { readonly started: boolean }>;
  /**
   * Runs the command of a prepared session, whose files are mounts, in the session's container.
   * Absent: none is up, or it could not be as exact as a new one.
   */
  run(session: Session, image: EngineImage): Promise<RunOutcome | undefined>;
  /** How launchers do what {@link run} does. Absent: this session is never kept warm. */
  plan(session: Session, image: EngineImage): Promise<WarmLaunch | undefined>;
  /** All of this user's engine. @throws {ToolingError} `ENGINE_FAILED`, `ENGINE_NOT_FOUND` */
  list(options?: OperationOptions): Promise<WarmSession[]>;
  down(sessions: readonly WarmSession[], options?: OperationOptions): Promise<void>;
  /** Prints what its first process said. */
  logs(session: WarmSession, options?: { readonly follow?: boolean }): Promise<RunOutcome>;
}

/** What every {@link LaunchPlan} tells. */
interface LaunchBasis {
  /** Absolute path. */
  readonly program: string;
  readonly argv: readonly string[];
  /** Host paths without which the command line cannot work. */
  readonly sources: readonly string[];
  /** Host paths that must be the same file as another, which stands in the command line. */
  readonly links: ReadonlyMap<string, string>;
}

/** A client that passes signals on by itself, so that nobody need stay beside it. */
export interface ClientLaunch extends LaunchBasis {
  readonly kind: "client";
  /** Whether signals go to the container, and not to its client, which would die of them. */
  readonly signalsContainer: boolean;
  /** Absent: this session is never kept warm. */
  readonly warm?: WarmLaunch | undefined;
}

/** How a command gets into the session's warm container. */
export interface WarmLaunch {
  /** The client's arguments up to the command. */
  readonly argv: readonly string[];
  /** What the engine calls the container. */
  readonly container: string;
  /** Host path of the file that is not empty while the container is up. */
  readonly marker: string;
  /** Host path of the folder where commands note their numbers. */
  readonly notes: string;
  /** Host paths that the container shows, and which files they were (`DEVICE:INODE`). */
  readonly places: readonly { readonly path: string; readonly identity: string }[];
}

/** A sandbox that starts with a clean environment, and whose command signals must be sent to. */
export interface SandboxLaunch extends LaunchBasis {
  readonly kind: "sandbox";
  /** All variables of the command whose values may stand in an argv. */
  readonly env: Readonly<Record<string, string>>;
  /** What the sandbox's first process sees once its child is the command. Absent: that is so from the start. */
  readonly readyFile?: string | undefined;
  /** The option that names a descriptor to read more options from, `--setenv NAME VALUE` among them. Absent: there is none. */
  readonly secretsFrom?: string | undefined;
}

/** A command line that works without this program. */
export type LaunchPlan = ClientLaunch | SandboxLaunch;

/** One way to carry a session out. */
export interface Engine {
  readonly name: EngineName;
  /**
   * The command line of a session from `launchedSession`. Absent: there is none that is as exact as {@link run}.
   *
   * @throws {ToolingError} `ENGINE_NOT_FOUND`, `MOUNT_REFUSED`, `FILE_NOT_FOUND`
   */
  plan(session: Session, image: EngineImage): Promise<LaunchPlan | undefined>;
  /** Absent: this engine starts a command in milliseconds and keeps nothing running. */
  readonly warm?: WarmEngine;
  /** Quick (under a second when all is well) and without effect. */
  detect(options?: OperationOptions): Promise<EngineStatus>;
  /**
   * Makes sure that the engine holds exactly this image, by digest.
   *
   * @throws {ToolingError} `IMAGE_NOT_FOUND`, `ENGINE_FAILED`, `PLATFORM_UNAVAILABLE`, and what the supply throws
   */
  ensureImage(image: SessionImage, supply: ImageSupply, options?: OperationOptions): Promise<EngineImage>;
  /**
   * Makes sure, once for each image, that the engine can start anything at all: some answer every question and cannot.
   * Absent: that was seen when the engine was detected.
   *
   * @throws {ToolingError} `ENGINE_UNUSABLE`, `ENGINE_NOT_FOUND`
   */
  proveImage?(image: SessionImage, held: EngineImage): Promise<void>;
  /**
   * Runs to the end with this process's own stdin, stdout and stderr, passing signals on.
   *
   * @throws {ToolingError} `ENGINE_NOT_FOUND`, `ENGINE_FAILED`, `MOUNT_REFUSED`, `FILE_NOT_FOUND`
   */
  run(session: Session, image: EngineImage): Promise<RunOutcome>;
}
