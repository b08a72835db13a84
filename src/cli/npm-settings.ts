// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import type { NpmSettings } from "../sources/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where npm's settings are looked for. */
export interface NpmSettingsOptions {
  readonly env: Environment;
  /** A folder of the project. Absolute. */
  readonly cwd: string;
  /** File for all users of the machine. Not absolute: there is none. */
  readonly globalFile: string;
}

/**
 * What npm's files and environment say of registries of scopes and of credentials, as npm reads them: the environment,
 * the project's `.npmrc`, the user's, the machine's. npm itself tells nobody the credentials it has.
 */
export async function readNpmSettings({ env, cwd, globalFile }: NpmSettingsOptions): Promise<NpmSettings> {
  const home = env["HOME"] ?? env["USERPROFILE"];
  const userFile =
    env["npm_config_userconfig"] ?? env["NPM_CONFIG_USERCONFIG"] ?? (home && join(home, ".npmrc"));
  const files = [globalFile, userFile, join(findProject(cwd), ".npmrc")].filter(
    (file) => file !== undefined && isAbsolute(file),
  );
  const texts = await Promise.all(
    files.map(async (file) => await readFile(file ?? "", "utf8").catch(() => "")),
  );
  return Object.assign({}, ...texts.map((text) => parseNpmrc(text, env)), settingsIn(env)) as NpmSettings;
}

/** The nearest folder that npm takes for a project. */
function findProject(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (["package.json", "node_modules"].some((name) => existsSync(join(at, name)))) return at;
    if (dirname(at) === at) return folder;
  }
}

/** The lines of an `.npmrc` that are about registries of scopes, or begin with the host that they are for. */
function parseNpmrc(text: string, env: Environment): NpmSettings {
  const settings: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*[;#[]/.test(line)) continue;
    const [, left = "", right = ""] = /^([^=]+?)\s*=\s*(.*?)\s*$/.exec(line.trim()) ?? [];
    const key = expand(unquote(left), env);
    if (isOurs(key)) settings[key] = expand(unquote(right), env);
  }
  return settings;
}

function settingsIn(env: Environment): NpmSettings {
  const entries = Object.entries(env).flatMap(([name, value]) => {
    const key = /^npm_config_(.+)$/i.exec(name)?.[1] ?? "";
    return isOurs(key) && value !== undefined ? [[key, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

function isOurs(key: string): boolean {
  return key.startsWith("//") || /^@[^:/]+:registry$/.test(key);
}

function unquote(text: string): string {
  return /^(["'])(.*)\1$/.exec(text)?.[2] ?? text;
}

/** `${NAME}` stays as it stands where the environment lacks it, `${NAME?}` becomes nothing. */
function expand(text: string, env: Environment): string {
  return text.replaceAll(
    /\$\{([^}?]+)(\??)\}/g,
    (whole: string, name: string, mark: string) => env[name] ?? (mark === "?" ? "" : whole),
  );
}
