// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { withFileLock } from "../core/file-lock.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { Release } from "./release-file.ts";

/** A clock may be a little behind the archive's. */
const CLOCK_LEEWAY = 10 * 60 * 1000;

/** Optional parts of {@link checkReleaseFreshness}. */
export interface CheckReleaseFreshnessOptions {
  /** File that remembers the newest date seen of each suite. Absent: nothing is remembered. */
  readonly stateFile?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Refuses a verified Release that is another suite's, expired, from the future, or older than one seen before: a
 * mirror that stands still or goes back hides security updates, with valid signatures.
 *
 * @throws {ToolingError} `DEBIAN_INDEX_INVALID`, `DEBIAN_INDEX_EXPIRED`, `DEBIAN_INDEX_ROLLBACK`
 */
export async function checkReleaseFreshness(
  release: Release,
  suite: string,
  now: Date,
  { stateFile, signal }: CheckReleaseFreshnessOptions = {},
): Promise<void> {
  if (release.codename !== suite && release.suite !== suite) {
    throw new ToolingError(
      "DEBIAN_INDEX_INVALID",
      `the mirror answers for suite "${suite}" with "${release.codename}"`,
      { hint: "Use another mirror, or check the suite's name." },
    );
  }
  const hint = `Check this machine's clock (it says ${now.toISOString()}); if it is right, use another mirror.`;
  if (release.validUntil !== undefined && release.validUntil < now) {
    throw new ToolingError(
      "DEBIAN_INDEX_EXPIRED",
      `the index of suite "${suite}" expired at ${release.validUntil.toISOString()}`,
      { hint },
    );
  }
  if (release.date.getTime() > now.getTime() + CLOCK_LEEWAY) {
    throw new ToolingError(
      "DEBIAN_INDEX_INVALID",
      `the index of suite "${suite}" is from the future (${release.date.toISOString()})`,
      { hint },
    );
  }
  if (stateFile !== undefined) {
    await withFileLock(`${stateFile}.lock`, { signal }, async () => rememberDate(stateFile, release, suite));
  }
}

async function rememberDate(stateFile: string, release: Release, suite: string): Promise<void> {
  const dates = await readDates(stateFile);
  const key = `${release.origin}/${suite}`;
  const seen = Object.hasOwn(dates, key) ? dates[key] : undefined;
  const date = release.date.toISOString();
  if (seen === date) return;
  if (seen !== undefined && date < seen) {
    throw new ToolingError(
      "DEBIAN_INDEX_ROLLBACK",
      `the index of suite "${suite}" is of ${date}, but one of ${seen} was seen before`,
      {
        hint: `Use a mirror that is up to date; to accept the older index, remove "${stateFile}".`,
      },
    );
  }
  await writeFileAtomically(stateFile, formatCanonicalJson({ ...dates, [key]: date }, { indent: 2 }));
}

/** A file that cannot be understood remembers nothing, as a missing one. */
async function readDates(stateFile: string): Promise<Readonly<Record<string, string>>> {
  try {
    const value: unknown = JSON.parse(await readFile(stateFile, "utf8"));
    if (value === null || typeof value !== "object") return {};
    return Object.fromEntries(Object.entries(value).filter(([, date]) => typeof date === "string"));
  } catch (error) {
    if (isSystemError(error, "ENOENT") || error instanceof SyntaxError) return {};
    throw error;
  }
}
