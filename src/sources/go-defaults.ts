// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { compareVersions } from "../catalog/index.ts";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { collectBytes } from "../core/byte-stream.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { formatCanonicalJson } from "../core/json.ts";
import { type DebianContext, openPackageIndex, readDebianPackages } from "./debian-archive.ts";
import { GO_VARIABLES, type GoSettings } from "./mirrors.ts";

/** Optional parts of {@link readGoDefaults}. */
export interface GoDefaultsOptions {
  /** Debian suite to take a go command from. Absent: `trixie`. */
  readonly suite?: string | undefined;
}

const LIFETIME = 30 * 24 * 60 * 60_000;
const MOST_BYTES = 64 * 1024;

/**
 * The defaults that the go command has for mirrors, on a machine without one: its package is fetched from the
 * machine's Debian mirror, and its `go.env` is read. Nothing is run. The answer is kept for a month.
 *
 * Empty: there is no such package. Where Debian is not configured either, it is empty as well.
 */
export async function readGoDefaults(
  context: DebianContext,
  { suite = "trixie" }: GoDefaultsOptions = {},
): Promise<GoSettings> {
  const file = join(context.cacheDir, "go", "defaults.json");
  const known = await readKept(file, context.now());
  if (known !== undefined) return known;
  const settings = parseGoEnv(await readPackagedGoEnv(suite, context));
  if (settings["GOPROXY"] === undefined) return {};
  await writeFileAtomically(file, formatCanonicalJson({ at: context.now().toISOString(), settings }));
  return settings;
}

/** The mirror settings of a `go.env` file (go help environment). */
function parseGoEnv(text: string): GoSettings {
  const settings: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const [, name = "", value = ""] = /^([A-Z0-9]+)=(.*)$/.exec(line.trim()) ?? [];
    if (GO_VARIABLES.includes(name) && value !== "") settings[name] = value;
  }
  return settings;
}

async function readPackagedGoEnv(suite: string, context: DebianContext): Promise<string> {
  try {
    const index = await openPackageIndex(suite, "amd64", context);
    const names = [...index.records.keys()].filter((name) => /^golang-1\.\d+-go$/.test(name));
    const [name = ""] = names.toSorted((a, b) => compareVersions(goVersion(a), goVersion(b)));
    const [record] = index.records.get(name) ?? [];
    if (record === undefined) return "";
    const { entries, dispose } = await readDebianPackages([record], "linux/amd64", context);
    try {
      const entry = entries.find(
        ({ path, type }) => type === "file" && /^usr\/lib\/go-[^/]+\/go\.env$/.test(path),
      );
      if (entry?.type !== "file") return "";
      return new TextDecoder().decode(await collectBytes(entry.open(), { limit: MOST_BYTES }));
    } finally {
      await dispose();
    }
  } catch (error) {
    if (error instanceof ToolingError && error.code === "MIRROR_NOT_CONFIGURED") return "";
    throw error;
  }
}

function goVersion(name: string): string {
  return name.slice("golang-".length, -"-go".length);
}

async function readKept(file: string, now: Date): Promise<GoSettings | undefined> {
  try {
    const { at, settings } = JSON.parse(await readFile(file, "utf8")) as { at: string; settings: GoSettings };
    return now.getTime() - Date.parse(at) < LIFETIME ? settings : undefined;
  } catch (error) {
    if (isSystemError(error, "ENOENT") || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
