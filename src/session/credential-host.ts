// SPDX-License-Identifier: Apache-2.0

/** What credential planning may look at: paths on the host. */
export interface HostFiles {
  /** Absent: nothing there, or not readable. */
  kindOf(path: string): Promise<"file" | "folder" | "socket" | undefined>;
  /** Text of a file. Absent: not there, or not readable. */
  readText(path: string): Promise<string | undefined>;
  /** Names in a folder, sorted. Empty when there is none. */
  list(path: string): Promise<readonly string[]>;
}

/** Where containers run when they do not run on this machine itself, so that its sockets do not reach them. */
export interface VirtualMachine {
  /** Path in it where the caller's ssh-agent answers, to root and root's group. Absent: nowhere. */
  readonly sshAgent?: string | undefined;
}

/** Whose credentials they are. */
export interface CredentialHost {
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: HostFiles;
  /** The one context of kubeconfig that is passed. Absent: all of them. */
  readonly context?: string | undefined;
  /** The namespace to start in. Absent: the context's own. */
  readonly namespace?: string | undefined;
  /** The folder of the host that stands at HOME inside. Absent: not known, and nothing was switched in it. */
  readonly privateHome?: string | undefined;
  /**
   * A folder of the host for a kubeconfig that is chosen for one session only, so that commands beside it keep theirs.
   * Absolute. Absent: it stands in HOME.
   */
  readonly apart?: string | undefined;
  /** Absent: containers run on this machine. */
  readonly virtualMachine?: VirtualMachine | undefined;
}
