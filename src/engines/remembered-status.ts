// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError } from "../core/error.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { EngineHost, EngineName, EngineStatus } from "./engine.ts";
import { notesFolder } from "./held-image.ts";
import { SYSTEM_PATH } from "./host-tools.ts";

/** Milliseconds that an answer is believed. One that says no is soon asked again, because people then act on it. */
const LIFETIME = { ready: 600_000, stopped: 30_000, missing: 0 } as const;

/** Milliseconds that an engine that answers, but could start nothing, is left alone: to try it again takes seconds. */
const FAULT_LIFETIME = 600_000;

const PROGRAMS: Readonly<Record<EngineName, string>> = {
  docker: "docker",
  podman: "podman",
  nerdctl: "nerdctl",
  bubblewrap: "bwrap",
  namespaces: "unshare",
  crun: "crun",
  runc: "runc",
};

/** A program, and when it was last replaced. */
interface ProgramIdentity {
  readonly program: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

interface StatusNote extends ProgramIdentity {
  /** Milliseconds since 1970. */
  readonly asked: number;
  readonly status: EngineStatus;
  /** Whether the engine said that it is ready, and could start nothing. Absent: it did not. */
  readonly isFault?: boolean | undefined;
}

/**
 * The status that the engine gave a short while ago, as long as its program is the same: asking an engine costs as much as
 * running a command. Absent: it must be asked.
 */
export async function recallStatus(name: EngineName, host: EngineHost): Promise<EngineStatus | undefined> {
  const note = readNote(notePath(name, host));
  if (note === undefined) return undefined;
  const age = nowOf(host) - note.asked;
  if (age < 0 || age >= (note.isFault === true ? FAULT_LIFETIME : LIFETIME[note.status.state]))
    return undefined;
  const identity = await identify(name, host);
  const isSame = identity?.program === note.program && identity.modified === note.modified;
  return isSame ? note.status : undefined;
}

/** Remembers what an engine just said of itself. A state folder that cannot be written only costs time. */
export async function rememberStatus(
  name: EngineName,
  status: EngineStatus,
  host: EngineHost,
): Promise<void> {
  if (LIFETIME[status.state] > 0) await writeNote(name, { status }, host);
}

/** Remembers that an engine says that it is ready, but could start nothing. It is believed until it is asked for by name. */
export async function rememberFault(
  name: EngineName,
  { reason, cure }: { readonly reason: string; readonly cure: string },
  host: EngineHost,
): Promise<void> {
  await writeNote(name, { status: { state: "stopped", reason, cure }, isFault: true }, host);
}

/** Why the engine could start nothing a short while ago. Absent: it could, or nobody tried. */
export async function recallFault(name: EngineName, host: EngineHost): Promise<EngineStatus | undefined> {
  const isFault = readNote(notePath(name, host))?.isFault === true;
  return isFault ? recallStatus(name, host) : undefined;
}

async function writeNote(
  name: EngineName,
  content: Pick<StatusNote, "status" | "isFault">,
  host: EngineHost,
): Promise<void> {
  const identity = await identify(name, host);
  if (identity === undefined) return;
  const note: StatusNote = { ...identity, asked: nowOf(host), ...content };
  await writeFileAtomically(notePath(name, host), formatCanonicalJson(note, { indent: 2 }), {
    mode: 0o600,
  }).catch(() => {});
}

/** To be called when an engine did not do what it should: whatever it said before is not to be believed. */
export async function forgetStatus(name: EngineName, host: EngineHost): Promise<void> {
  await rm(notePath(name, host), { force: true }).catch(() => {});
}

function notePath(name: EngineName, host: EngineHost): string {
  return join(notesFolder(name, host), "status.json");
}

async function identify(
  name: EngineName,
  { programs, env }: EngineHost,
): Promise<ProgramIdentity | undefined> {
  const isClient = name === "docker" || name === "podman" || name === "nerdctl";
  const path = env["PATH"] ?? "";
  const program = await programs.find(PROGRAMS[name], isClient ? path : `${SYSTEM_PATH}:${path}`);
  if (program === undefined) return undefined;
  try {
    return { program, modified: statSync(program).mtimeMs };
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}

function readNote(file: string): StatusNote | undefined {
  try {
    const note = JSON.parse(readFileSync(file, "utf8")) as Partial<StatusNote> | null;
    const isWhole = typeof note?.asked === "number" && isStatus(note.status);
    return isWhole ? (note as StatusNote) : undefined;
  } catch (error) {
    if (isSystemError(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isStatus(status: unknown): boolean {
  const { state, version, reason, cure } = (status ?? {}) as Readonly<Record<string, unknown>>;
  if (state === "ready") return typeof version === "string";
  return state === "stopped" && typeof reason === "string" && typeof cure === "string";
}

function nowOf({ now = () => new Date() }: EngineHost): number {
  return now().getTime();
}
