// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError, ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { askCredentialHelper } from "./credential-helper.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";

/** Where logins of Docker and podman are kept. */
export interface DockerCredentialsOptions {
  /** Home folder of the user. */
  readonly home: string;
  /**
   * Environment: `REGISTRY_AUTH_FILE`, `XDG_RUNTIME_DIR`, `XDG_CONFIG_HOME` and `DOCKER_CONFIG` say where the files are,
   * and helpers are started with it.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const DOCKER_HUB = "https://index.docker.io/v1/";
const DOCKER_HUB_NAMES = [DOCKER_HUB, "docker.io", "index.docker.io", "registry-1.docker.io"];

/**
 * Finds logins where `docker login` and `podman login` put them: podman's files, then Docker's; in each the helper of
 * the registry, then the general helper, then the file itself. Files are read when the first login is looked for.
 */
export function openDockerCredentials({ home, env }: DockerCredentialsOptions): CredentialSource {
  const files = listFiles(home, env);
  return async (registry, { repository, ...options }) => {
    for (const file of files) {
      const config = await readConfig(file);
      const found = config && (await search(config, { registry, repository, env, ...options }));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function listFiles(home: string, env: Readonly<Record<string, string | undefined>>): string[] {
  const dockerFile = join(env["DOCKER_CONFIG"] ?? join(home, ".docker"), "config.json");
  const { REGISTRY_AUTH_FILE: chosen, XDG_RUNTIME_DIR: runtime, XDG_CONFIG_HOME: settings } = env;
  if (chosen !== undefined && chosen !== "") return [chosen, dockerFile];
  return [
    ...(runtime === undefined || runtime === "" ? [] : [join(runtime, "containers", "auth.json")]),
    join(settings ?? join(home, ".config"), "containers", "auth.json"),
    dockerFile,
  ];
}

interface DockerConfig {
  readonly file: string;
  readonly auths: Readonly<Record<string, unknown>>;
  readonly credHelpers: Readonly<Record<string, unknown>>;
  readonly credsStore: unknown;
}

/** @throws {ToolingError} `CREDENTIALS_INVALID` */
async function readConfig(file: string): Promise<DockerConfig | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    // A file of somebody else is not ours to read: nobody is logged in there.
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES", "EISDIR")) return undefined;
    throw error;
  }
  try {
    const value = asObject(JSON.parse(text.trim() === "" ? "{}" : text));
    const { auths, credHelpers, credsStore } = value;
    return { file, auths: asObject(auths), credHelpers: asObject(credHelpers), credsStore };
  } catch {
    // The parser's message quotes the text, and the text may hold a password.
    throw new ToolingError("CREDENTIALS_INVALID", `"${file}" is not valid JSON`, {
      hint: "Correct it, or remove it and log in again.",
    });
  }
}

interface Search extends OperationOptions {
  readonly registry: string;
  readonly repository: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

async function search(
  { auths, credHelpers, credsStore, file }: DockerConfig,
  { env, registry, repository, ...options }: Search,
): Promise<Credentials | undefined> {
  const isHub = DOCKER_HUB_NAMES.includes(registry);
  const names = isHub ? DOCKER_HUB_NAMES : [registry];
  const helper =
    names.map((name) => credHelpers[name]).find((name) => typeof name === "string") ?? credsStore;
  if (typeof helper === "string" && helper !== "") {
    const found = await askCredentialHelper(helper, isHub ? DOCKER_HUB : registry, { env, ...options });
    if (found !== undefined) return found;
  }
  const keys = [...listNamespaces(registry, repository), ...names];
  for (const [key, value] of sortedByKeys(auths, keys)) {
    const found = readEntry(asObject(value), { file, key });
    if (found !== undefined) return found;
  }
  return undefined;
}

/** podman keeps logins of parts of a registry too: `host/a/b`, then `host/a`. */
function listNamespaces(registry: string, repository: string | undefined): string[] {
  const parts = repository?.split("/") ?? [];
  return parts.map((_, index) => [registry, ...parts.slice(0, parts.length - index)].join("/"));
}

function bare(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/(?:v[12]\/?)?$/, "");
}

/** Entries whose key is one of `keys` exactly, in their order; old versions of Docker wrote keys as URLs. */
function sortedByKeys(
  auths: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): [string, unknown][] {
  return keys.flatMap((key) =>
    Object.entries(auths).filter(([name]) => name === key || bare(name) === bare(key)),
  );
}

function readEntry(
  { auth, identitytoken, password, registrytoken, username }: Record<string, unknown>,
  { file, key }: { readonly file: string; readonly key: string },
): Credentials | undefined {
  if (typeof identitytoken === "string" && identitytoken !== "")
    return { kind: "identity-token", token: identitytoken };
  if (typeof registrytoken === "string" && registrytoken !== "")
    return { kind: "registry-token", token: registrytoken };
  if (typeof auth === "string" && auth !== "") return decodeAuth(auth, { file, key });
  if (typeof username === "string" && username !== "" && typeof password === "string") {
    return { kind: "password", username, password };
  }
  return undefined;
}

function decodeAuth(
  auth: string,
  { file, key }: { readonly file: string; readonly key: string },
): Credentials {
  const text = Buffer.from(auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = text.indexOf(":");
  if (colon > 0) return { kind: "password", username: text.slice(0, colon), password: text.slice(colon + 1) };
  throw new ToolingError("CREDENTIALS_INVALID", `login for "${key}" in "${file}" cannot be read`, {
    hint: "Log out and in again.",
  });
}

function asObject(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
}
