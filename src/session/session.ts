// SPDX-License-Identifier: Apache-2.0
import type { Platform } from "../core/platform.ts";
import type { Digest } from "../oci/index.ts";

/** The image of a session. It is always run by digest; the reference only says where to get it. */
export interface SessionImage {
  /** `docker.io/best-tools/tooling-k8s:1.4`. Absent: the image lives in the local store only. */
  readonly reference?: string | undefined;
  /** Digest of the index, or of one platform's manifest. */
  readonly digest: Digest;
  readonly platform: Platform;
}

/** A host path shown inside. Both paths are absolute and normalised; nothing is ever relabelled or chowned. */
export interface SessionMount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** The engine makes the missing source as a private folder (0700). Absent: a missing source is an error. */
  readonly create?: "folder" | undefined;
  /** The source is a path of the engine's virtual machine, where nobody here can look. Absent: it is one of this machine. */
  readonly remote?: true | undefined;
}

/** A small generated file shown read-only inside. Its content never holds a secret. */
export interface SessionFile {
  readonly target: string;
  readonly content: string;
}

/**
 * A private, writable copy of a credential, made below the session's HOME and made again only when its source changes, so
 * that what a tool writes into it (a chosen context, a refreshed token) stays. The source itself is never written.
 */
export type SessionCopy =
  | { readonly target: string; readonly source: string }
  | {
      readonly target: string;
      readonly content: string;
      /** What is carried over from the copy before when it is made again. Absent: nothing. */
      readonly keeps?: "kubeconfig-choices" | undefined;
    };

/** Who the command runs as: the caller, with a name and a home inside. */
export interface SessionUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
  readonly group: string;
  /** Absolute path inside. */
  readonly home: string;
  /** Numbers of further groups, for what only they may use. Absent: none. */
  readonly groups?: readonly number[] | undefined;
}

/**
 * `host`: the host's own network. `default`: what the engine gives. `none`: loopback only. `engine:NAME`: a network of that
 * name, which only an engine that keeps networks has.
 */
export type SessionNetwork = "host" | "default" | "none" | `engine:${string}`;

/** What a session may use at most. Absent members are not limited. */
export interface SessionLimits {
  /** Bytes. */
  readonly memory?: number | undefined;
  /** CPUs, fractions allowed. */
  readonly cpus?: number | undefined;
  /** Processes and threads. */
  readonly pids?: number | undefined;
}

/**
 * One run, described completely and without a word of any engine. Two equal sessions behave alike on every engine.
 * Engines always start an init process, drop all capabilities and forbid new privileges.
 */
export interface Session {
  readonly image: SessionImage;
  /** The command and its arguments, byte for byte. Never empty, never read by a shell. */
  readonly argv: readonly string[];
  /** Absolute path inside where the command starts. */
  readonly workdir: string;
  /** Parents before what lies below them. */
  readonly mounts: readonly SessionMount[];
  readonly files: readonly SessionFile[];
  /** May hold secrets: not for showing. */
  readonly copies: readonly SessionCopy[];
  /** All variables on top of those of the image. */
  readonly env: Readonly<Record<string, string>>;
  /** Names in `env` whose values must not stand in any argv. */
  readonly secrets: readonly string[];
  readonly user: SessionUser;
  readonly tty: boolean;
  readonly network: SessionNetwork;
  readonly hostname: string;
  readonly umask: number;
  readonly limits: SessionLimits;
  /** `[ADDRESS:]HOST:CONTAINER` TCP ports to publish; only for the networks `default` and `engine:NAME`. */
  readonly ports: readonly string[];
}
