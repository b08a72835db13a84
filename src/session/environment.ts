// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { SessionUser } from "./session.ts";
import { WORK_FOLDER } from "./working-folder.ts";

/** Variables, and which of them must not stand in an argv. */
export interface PlannedEnvironment {
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
}

/** What {@link planEnvironment} goes by. */
export interface EnvironmentRequest {
  /** The caller's environment. Only names on a list are ever read from it. */
  readonly host: Readonly<Record<string, string | undefined>>;
  readonly user: SessionUser;
  readonly tty: boolean;
  /** `NAME` passes the host's variable on, `NAME=value` sets it. Later ones win. */
  readonly wishes: readonly string[];
  /** Whether the host's zone file is mounted at /etc/localtime. */
  readonly hasLocaltime: boolean;
  /** Variables that name the host's own certificates. */
  readonly certificates?: Readonly<Record<string, string>> | undefined;
  /** Shown by prompts. */
  readonly imageName: string;
}

/** How output is to look. Harmless, and the same for every tool. */
export const STYLE_NAMES: readonly string[] = [
  "CI",
  "CLICOLOR",
  "CLICOLOR_FORCE",
  "COLORTERM",
  "FORCE_COLOR",
  "NO_COLOR",
];

/** Proxy settings may hold a password, so their values are treated as secrets. Tools differ in the spelling they read. */
const PROXY_NAMES = ["ALL_PROXY", "FTP_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"];

/**
 * The environment of a command: fixed variables, a short list taken from the host, then what the session names.
 * Everything else of the host stays out.
 *
 * @throws {ToolingError} `SESSION_INVALID` for a bad name.
 */
export function planEnvironment(request: EnvironmentRequest): PlannedEnvironment {
  const { host, tty, wishes } = request;
  const env: Record<string, string> = fixedVariables(request);
  const secrets = new Set<string>();
  const pass = (name: string, value = host[name]): void => {
    if (value === undefined || value === "") return;
    env[name] = value;
  };
  for (const name of STYLE_NAMES) pass(name);
  if (tty) env["TERM"] = host["TERM"] ?? "xterm-256color";
  if (host["TZ"] !== undefined) pass("TZ");
  for (const upper of PROXY_NAMES) {
    const lower = upper.toLowerCase();
    const value = host[lower] ?? host[upper];
    if (value === undefined || value === "") continue;
    for (const name of [upper, lower]) {
      env[name] = value;
      secrets.add(name);
    }
  }
  Object.assign(env, request.certificates);
  for (const wish of wishes) applyWish(wish, { host, env, secrets });
  return { env: sortNames(env), secrets: [...secrets].filter((name) => name in env).toSorted() };
}

function fixedVariables({ user, hasLocaltime, imageName }: EnvironmentRequest): Record<string, string> {
  return {
    // The one path that git may trust although somebody else may own it; in the environment, so that no file changes.
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "safe.directory",
    GIT_CONFIG_VALUE_0: WORK_FOLDER,
    HOME: user.home,
    // Images carry few locales; this one is in all of them, and it keeps UTF-8 working.
    LANG: "C.UTF-8",
    LOGNAME: user.name,
    TOOLBOX_IMAGE: imageName,
    ...(hasLocaltime ? { TZ: ":/etc/localtime" } : {}),
    USER: user.name,
    XDG_CACHE_HOME: `${user.home}/.cache`,
    XDG_CONFIG_HOME: `${user.home}/.config`,
    XDG_DATA_HOME: `${user.home}/.local/share`,
    XDG_STATE_HOME: `${user.home}/.local/state`,
  };
}

interface WishTarget {
  readonly host: Readonly<Record<string, string | undefined>>;
  readonly env: Record<string, string>;
  readonly secrets: Set<string>;
}

function applyWish(wish: string, { host, env, secrets }: WishTarget): void {
  const cut = wish.indexOf("=");
  const name = cut < 0 ? wish : wish.slice(0, cut);
  if (!isVariableName(name) || wish.includes("\0")) {
    throw new ToolingError("SESSION_INVALID", `"${name}" is not the name of a variable`, {
      hint: 'Write "NAME" to pass a variable of the host on, or "NAME=value" to set it.',
    });
  }
  const value = cut < 0 ? host[name] : wish.slice(cut + 1);
  if (value === undefined) return;
  env[name] = value;
  if (cut < 0) secrets.add(name);
}

/** Whether `text` is a name that every engine and shell can carry. */
function isVariableName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

/** The same variables in code-unit order, so that equal sessions are equal text. */
export function sortNames(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
