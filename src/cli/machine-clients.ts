// SPDX-License-Identifier: Apache-2.0
import { execFile, type ExecFileOptions } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { listArchiveAddresses, parseAptSources } from "../debian/index.ts";
import { readNpmSettings } from "./npm-settings.ts";
import { type ClientSettings, type GoSettings, readGoClient } from "../sources/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const APT_FOLDER = "/etc/apt";
/** A client that takes longer than this to tell its settings is as good as not installed. */
const TIMEOUT = 20_000;

/** What asking the clients needs of the process. */
export interface MachineClientsOptions {
  readonly env: Environment;
  /** Where the clients look for settings of a project. Absolute. */
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** The defaults of the go command, where the machine has none. */
  readonly goDefaults: () => Promise<GoSettings>;
}

/** Asks this machine's own package clients for their settings, each only when it is needed. */
export function machineClients({ env, cwd, signal, goDefaults }: MachineClientsOptions): ClientSettings {
  // A wide terminal, so that no address is wrapped in a help text.
  const ask: Ask = async (program, argv) =>
    await outputOf(program, argv, { env: { ...env, COLUMNS: "1000" }, cwd, signal, timeout: TIMEOUT });
  return {
    debian: async () => await readAptAddresses(APT_FOLDER),
    go: async () => await readGoClient(env, { cwd, signal }),
    goDefaults,
    npm: async () => addressIn(await ask("npm", ["config", "get", "registry"])),
    npmSettings: async () =>
      await readNpmSettings({ env, cwd, globalFile: await ask("npm", ["config", "get", "globalconfig"]) }),
    pypi: async () => await readPipIndex(ask),
  };
}

/** What a program says; nothing when it is not there or fails. */
type Ask = (program: string, argv: readonly string[]) => Promise<string>;

/** The index that pip uses on this machine: the one of its settings, else the one that its help names as default. */
async function readPipIndex(ask: Ask): Promise<readonly string[]> {
  const set = addressIn(await ask("pip", ["config", "get", "global.index-url"]));
  return set.length > 0 ? set : defaultIndexIn(await ask("pip", ["download", "--help"]));
}

/** The address in `Base URL of the Python Package Index (default ADDRESS)`. */
function defaultIndexIn(help: string): readonly string[] {
  return addressIn(/--index-url <url>[^(]*\(default\s+([^\s)]+)\)/.exec(help)?.[1] ?? "");
}

/** The addresses of the archive in the apt sources of a folder such as `/etc/apt`; none where there is no apt. */
export async function readAptAddresses(folder: string): Promise<readonly string[]> {
  const parts = join(folder, "sources.list.d");
  const names = await readdir(parts).catch(() => []);
  const files = [
    join(folder, "sources.list"),
    ...names
      .filter((name) => /\.(list|sources)$/.test(name))
      .toSorted()
      .map((name) => join(parts, name)),
  ];
  const sources = await Promise.all(
    files.map(async (file) => parseAptSources(file, await readFile(file, "utf8").catch(() => ""))),
  );
  return listArchiveAddresses(sources.flat());
}

async function outputOf(program: string, argv: readonly string[], options: ExecFileOptions): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, argv, { ...options, encoding: "utf8" });
    return stdout.trim();
  } catch {
    // Not installed, or it has no such setting: both mean that nothing is configured.
    return "";
  }
}

function addressIn(text: string): readonly string[] {
  return /^https?:\/\/\S+$/.test(text) ? [text] : [];
}
