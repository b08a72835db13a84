// SPDX-License-Identifier: Apache-2.0
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Milliseconds between two answers, and between two notes. */
const DAY = 24 * 60 * 60 * 1000;
/** Milliseconds until a question that was not answered is asked again. */
const PATIENCE = 60 * 60 * 1000;

/** What is known of the image that a workspace uses. Times are milliseconds since 1970. */
export interface Freshness {
  /** The digest that was pinned when it was asked for: of any other one nothing is known. */
  readonly pinned: string;
  /** Not asked for again before this. */
  readonly askAfter: number;
  /** Not told again before this. Absent: it was never told. */
  readonly tellAfter?: number | undefined;
  /** What has come out since, in one line. Absent: nothing that is known. */
  readonly news?: string | undefined;
}

/** What a run does about {@link Freshness}. */
export interface FreshnessAdvice {
  /** To be shown. Absent: nothing is. */
  readonly news?: string | undefined;
  /** Whether the registry is to be asked. */
  readonly isQuestionDue: boolean;
}

/** Where it is kept: one small file for each workspace and image. `folder` is the real path of the workspace. */
export function freshnessFile(stateFolder: string, folder: string, reference: string): string {
  const key = createHash("sha256").update(`${folder}\0${reference}`).digest("hex").slice(0, 32);
  return join(stateFolder, "freshness", `${key}.json`);
}

/** Reads the file. Absent: there is none that can be read, which costs a question and nothing more. */
export async function readFreshness(file: string): Promise<Freshness | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    return isFreshness(value) ? value : undefined;
  } catch {
    // Whatever is wrong with it, the command that is to run must not be told: the next answer replaces it.
    return undefined;
  }
}

/** What to do now. `now` is milliseconds since 1970. */
export function adviseFreshness(known: Freshness | undefined, pinned: string, now: number): FreshnessAdvice {
  if (known?.pinned !== pinned) return { isQuestionDue: true };
  const { askAfter, tellAfter, news } = known;
  const isTold = tellAfter !== undefined && !isDue(tellAfter, now);
  return { news: isTold ? undefined : news, isQuestionDue: isDue(askAfter, now) };
}

/** A clock that was set back must not silence us for longer than a day. */
function isDue(time: number, now: number): boolean {
  return now >= time || time - now > DAY;
}

/**
 * Notes that the news are told. `false`: another command tells them at this moment. Whoever moves the file away is the
 * one; nothing waits for the disk here, because a command waits for us.
 */
export async function claimTelling(file: string, known: Freshness, now: number): Promise<boolean> {
  const mine = `${file}.${process.pid}`;
  try {
    await rename(file, mine);
    await writeFile(mine, JSON.stringify({ ...known, tellAfter: now + DAY }));
    await rename(mine, file);
    return true;
  } catch {
    // Then it is not told, for if it cannot be noted it would be told with each command.
    return false;
  }
}

/**
 * Notes that the registry is being asked. `false`: that is not due any more, or cannot be noted; then nobody asks, for
 * everybody would.
 */
export async function claimAsking(file: string, pinned: string, now: number): Promise<boolean> {
  const known = await readFreshness(file);
  if (!adviseFreshness(known, pinned, now).isQuestionDue) return false;
  try {
    await replaceFreshness(file, {
      ...(known?.pinned === pinned ? known : { pinned }),
      askAfter: now + PATIENCE,
    });
    return true;
  } catch {
    return false;
  }
}

/** Keeps an answer until tomorrow. Absent `news`: there are none. */
export async function keepAnswer(
  file: string,
  { pinned, news }: Pick<Freshness, "pinned" | "news">,
  now: number,
): Promise<void> {
  const known = await readFreshness(file);
  const tellAfter = known?.pinned === pinned ? known.tellAfter : undefined;
  await replaceFreshness(file, { pinned, news, tellAfter, askAfter: now + DAY });
}

async function replaceFreshness(file: string, freshness: Freshness): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}-${randomUUID()}`;
  try {
    await writeFile(temporary, JSON.stringify(freshness), { mode: 0o600 });
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
}

function isFreshness(value: unknown): value is Freshness {
  if (typeof value !== "object" || value === null) return false;
  const { pinned, askAfter, tellAfter = 0, news = "" } = value as Partial<Freshness>;
  return [pinned, news].every(isText) && [askAfter, tellAfter].every(Number.isFinite);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}
