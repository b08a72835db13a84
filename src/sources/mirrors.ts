// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";

/** The kinds of mirror that have plain addresses. */
export type MirrorKind = "debian" | "npm" | "pypi";

/** Variables of the go command, such as `GOPROXY` and `GOPRIVATE`, in its own syntax. Absent: its default. */
export type GoSettings = Readonly<Record<string, string>>;

/** Settings of npm by their keys, such as `@scope:registry` and `//host/path/:_authToken`; credentials included. */
export type NpmSettings = Readonly<Record<string, string>>;

/** Where to download from, settled. Ask only for what is needed: each answer may run a client of the machine. */
export interface Mirrors {
  /**
   * Addresses in order of trial, without a trailing slash.
   *
   * @throws {ToolingError} `MIRROR_NOT_CONFIGURED`
   */
  addressesOf(kind: MirrorKind): Promise<readonly string[]>;
  /**
   * What to run a go command with; `GOPROXY` is always there.
   *
   * @throws {ToolingError} `MIRROR_NOT_CONFIGURED`
   */
  goSettings(): Promise<GoSettings>;
  /** What the machine's npm says of registries of scopes, and of credentials. Empty: nothing. */
  npmSettings(): Promise<NpmSettings>;
  /** The address to use for an upstream release file: `mirrors.release` prefixes replaced, else unchanged. */
  releaseAddress(url: string): string;
}

/** `mirrors:` of toolbox.yaml. Absent members: ask the machine. */
export interface MirrorWishes {
  readonly debian?: string | readonly string[] | undefined;
  readonly go?: string | readonly string[] | undefined;
  readonly goSum?: string | undefined;
  readonly npm?: string | readonly string[] | undefined;
  readonly pypi?: string | readonly string[] | undefined;
  /** Address prefix by address prefix. */
  readonly release?: Readonly<Record<string, string>> | undefined;
}

/** The settings of the machine's own clients, each asked at most once. An empty answer means: not set. */
export interface ClientSettings {
  /** The URIs of the apt sources. */
  readonly debian?: (() => Promise<readonly string[]>) | undefined;
  /** What `go env` says, where there is a go command. */
  readonly go?: (() => Promise<GoSettings>) | undefined;
  /** The defaults of the go command, learnt without one on this machine. Asked last. */
  readonly goDefaults?: (() => Promise<GoSettings>) | undefined;
  readonly npm?: (() => Promise<readonly string[]>) | undefined;
  readonly npmSettings?: (() => Promise<NpmSettings>) | undefined;
  readonly pypi?: (() => Promise<readonly string[]>) | undefined;
}

/** What {@link createMirrors} decides from. */
export interface MirrorOptions {
  readonly wishes?: MirrorWishes | undefined;
  /** The environment of the caller. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clients: ClientSettings;
}

const VARIABLES: Readonly<Record<MirrorKind, readonly string[]>> = {
  debian: [],
  npm: ["npm_config_registry", "NPM_CONFIG_REGISTRY"],
  pypi: ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"],
};

const CLIENTS: Readonly<Record<MirrorKind, string>> = { debian: "apt", npm: "npm", pypi: "pip" };

/** The settings of the go command that decide where modules come from and how they are checked. */
export const GO_VARIABLES: readonly string[] = [
  "GOPROXY",
  "GOSUMDB",
  "GOPRIVATE",
  "GONOPROXY",
  "GONOSUMDB",
  "GOINSECURE",
  "GOAUTH",
];

/**
 * Settles mirrors: `mirrors:` of the workspace, else the environment, else the machine's own client. Nothing has
 * an address of its own here, so a machine that has no settings must name one.
 */
export function createMirrors({ wishes = {}, env, clients }: MirrorOptions): Mirrors {
  const asked = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, ask: () => Promise<T>): Promise<T> => {
    const known = asked.get(key) ?? ask();
    asked.set(key, known);
    return known as Promise<T>;
  };
  return {
    addressesOf: (kind) => once(kind, () => settleAddresses(kind, wishes, env, clients)),
    goSettings: () => once("go", () => settleGo(wishes, env, clients)),
    npmSettings: () => once("npmSettings", async () => (await clients.npmSettings?.()) ?? {}),
    releaseAddress: (url) => replacePrefix(url, wishes.release ?? {}),
  };
}

async function settleAddresses(
  kind: MirrorKind,
  wishes: MirrorWishes,
  env: MirrorOptions["env"],
  clients: ClientSettings,
): Promise<readonly string[]> {
  const fromEnv = VARIABLES[kind]
    .map((name) => env[name])
    .filter((value) => value !== undefined && value !== "");
  const candidates = [
    () => listOf(wishes[kind]),
    () => fromEnv.slice(0, 1) as string[],
    async () => (await clients[kind]?.()) ?? [],
  ];
  for (const candidate of candidates) {
    const addresses = await candidate();
    if (addresses.length > 0) return [...new Set(addresses.map((address) => address.replace(/\/+$/, "")))];
  }
  throw notConfigured(kind, CLIENTS[kind]);
}

async function settleGo(
  wishes: MirrorWishes,
  env: MirrorOptions["env"],
  clients: ClientSettings,
): Promise<GoSettings> {
  const client = (await clients.go?.()) ?? {};
  const settings: Record<string, string> = {};
  for (const name of GO_VARIABLES) {
    const value = wishedGo(name, wishes) ?? env[name] ?? client[name];
    if (value !== undefined && value !== "") settings[name] = value;
  }
  if (settings["GOPROXY"] !== undefined) return settings;
  const defaults = (await clients.goDefaults?.()) ?? {};
  if (defaults["GOPROXY"] === undefined) throw notConfigured("go", "go");
  return { ...defaults, ...settings };
}

function wishedGo(name: string, wishes: MirrorWishes): string | undefined {
  if (name === "GOSUMDB") return wishes.goSum;
  return name === "GOPROXY" && wishes.go !== undefined ? listOf(wishes.go).join(",") : undefined;
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

function replacePrefix(url: string, prefixes: Readonly<Record<string, string>>): string {
  const longest = Object.keys(prefixes)
    .filter((prefix) => url.startsWith(prefix))
    .toSorted((a, b) => b.length - a.length)[0];
  return longest === undefined ? url : `${prefixes[longest]}${url.slice(longest.length)}`;
}

function notConfigured(kind: string, client: string): ToolingError {
  return new ToolingError("MIRROR_NOT_CONFIGURED", `mirror for "${kind}" is not known on this machine`, {
    hint: `Set "mirrors: { ${kind}: ADDRESS }" in toolbox.yaml, or configure the machine's own ${client} client.`,
  });
}
