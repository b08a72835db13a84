// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { isSystemError, ToolingError } from "../core/error.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { Platform } from "../core/platform.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { parseStrictJson } from "../core/strict-json.ts";
import {
  type LockedFlavour,
  type LockedSession,
  type LockedUse,
  LOCK_VERSION,
  type Lockfile,
} from "./lockfile.ts";

/**
 * Reads and checks toolbox.lock at `file`.
 *
 * @throws {ToolingError} `LOCK_MISSING`, `LOCK_INVALID`, `FILE_UNREADABLE`
 */
export async function readLockfile(file: string): Promise<Lockfile> {
  const content = readBytes(file);
  const { parseLockfile } = await import("./parse-lockfile.ts");
  return parseLockfile(content, file);
}

/** Like {@link readLockfile}, but a missing file is absent instead of an error. */
export async function readLockfileIfPresent(file: string): Promise<Lockfile | undefined> {
  try {
    return await readLockfile(file);
  } catch (error) {
    if (error instanceof ToolingError && error.code === "LOCK_MISSING") return undefined;
    throw error;
  }
}

/** The part of a lock that running a command needs. */
export interface RunLock {
  readonly use?: LockedUse | undefined;
  readonly session?: LockedSession | undefined;
  readonly images: Readonly<Record<string, LockedFlavour>>;
  readonly registry?: string | undefined;
  readonly platforms: readonly Platform[];
  /** Programs by name, each with the tool that brings it. */
  readonly binaries: ReadonlyMap<string, string>;
}

/**
 * Reads only what running a command needs, without the schema library: this is on the path of every `toolbox CMD`.
 * What it returns is checked as far as it is used.
 *
 * @throws {ToolingError} `LOCK_MISSING`, `LOCK_INVALID`, `FILE_UNREADABLE`
 */
export async function readRunLock(file: string): Promise<RunLock> {
  const lock = parseLockJson(readBytes(file), file) as Partial<Lockfile>;
  const { use, session, images = {}, registry, platforms = [], tools = {} } = lock;
  if (![images, tools].every(isObject) || !Array.isArray(platforms) || !isUse(use) || !isSession(session)) {
    throw invalidLock(file, "does not have the shape of a lock");
  }
  return { use, session, images, registry, platforms, binaries: binariesOf(tools) };
}

function binariesOf(tools: Lockfile["tools"]): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  for (const [name, tool] of Object.entries(tools)) {
    const { about } = tool as { about?: { binaries?: unknown } };
    if (Array.isArray(about?.binaries)) for (const binary of about.binaries) owners.set(String(binary), name);
  }
  return owners;
}

/** Writes toolbox.lock: keys sorted, so that equal locks are equal bytes and diffs are small. */
export async function writeLockfile(file: string, lock: Lockfile): Promise<void> {
  await writeFileAtomically(file, formatLockfile(lock));
}

/** The text of toolbox.lock. */
export function formatLockfile(lock: Lockfile): string {
  return formatCanonicalJson(lock, { indent: 2 });
}

/** Strict JSON with a format version that this package knows. */
export function parseLockJson(content: Uint8Array, file: string): object {
  let value: unknown;
  try {
    value = parseStrictJson(content, { what: "lock" });
  } catch (error) {
    if (!(error instanceof ToolingError)) throw error;
    throw invalidLock(file, error.message.replace(/^lock /, ""), { error, content });
  }
  if (!isObject(value)) throw invalidLock(file, "is not a JSON object");
  const version = (value as { lockVersion?: unknown }).lockVersion;
  if (typeof version === "number" && version > LOCK_VERSION) {
    throw new ToolingError(
      "LOCK_INVALID",
      `lock has format ${version}, which is newer than this toolbox knows`,
      {
        hint: "Update toolbox.",
        position: { file, line: 1, column: 1 },
      },
    );
  }
  if (version !== LOCK_VERSION) throw invalidLock(file, 'has no "lockVersion" that this toolbox knows');
  return value;
}

function isUse(use: LockedUse | undefined): boolean {
  return use === undefined || (isObject(use) && typeof use.digest === "string" && isObject(use.platforms));
}

function isSession(session: unknown): boolean {
  if (session === undefined) return true;
  if (!isObject(session)) return false;
  const { mounts, env, credentials, limits = {} } = session as Partial<LockedSession>;
  return [mounts, env, credentials].every((list) => Array.isArray(list)) && isObject(limits);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A lock that cannot be used. The position is that of the JSON syntax error, or the top. */
export function invalidLock(
  file: string,
  why: string,
  found?: { readonly error: ToolingError; readonly content: Uint8Array },
): ToolingError {
  const conflict = found !== undefined && /^(<{7}|>{7})/m.test(Buffer.from(found.content).toString("utf8"));
  return new ToolingError("LOCK_INVALID", conflict ? "lock holds merge conflict markers" : `lock ${why}`, {
    hint: conflict
      ? "Take either side of toolbox.lock whole, then run `toolbox lock`."
      : "Restore it from version control, or delete it and run `toolbox lock`.",
    position: { file, ...positionIn(found) },
    cause: found?.error,
  });
}

function positionIn(found?: { readonly error: ToolingError; readonly content: Uint8Array }): {
  line: number;
  column: number;
} {
  const offset = /position (\d+)/.exec(found?.error.message ?? "")?.[1];
  if (found === undefined || offset === undefined) return { line: 1, column: 1 };
  const before = Buffer.from(found.content).toString("utf8").slice(0, Number(offset)).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) {
      throw new ToolingError("LOCK_MISSING", `"${file}" does not exist`, {
        hint: "Run `toolbox lock` to make it.",
        cause: error,
      });
    }
    throw new ToolingError("FILE_UNREADABLE", `"${file}" cannot be read`, {
      hint: "Check its permissions.",
      cause: error,
    });
  }
}
