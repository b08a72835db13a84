// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { parse, stringify } from "yaml";
import { ToolingError } from "../core/error.ts";

/** A kubeconfig file as it was read. */
export interface KubeconfigFile {
  /** Absolute path on the host; what its entries name relatively starts from its folder. */
  readonly path: string;
  readonly text: string;
}

/** A list member of kubeconfig: a name and a body under `cluster`, `user` or `context`. Unknown members are kept. */
export interface KubeconfigEntry {
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Folder that its relative paths start from. */
  readonly folder: string;
}

/** Several kubeconfig files as kubectl sees them. */
export interface Kubeconfig {
  readonly clusters: readonly KubeconfigEntry[];
  readonly users: readonly KubeconfigEntry[];
  readonly contexts: readonly KubeconfigEntry[];
  /** Absent: none is chosen. */
  readonly currentContext?: string | undefined;
}

/**
 * Merges kubeconfig files as kubectl does: the first file that names an entry wins.
 *
 * @throws {ToolingError} `CREDENTIALS_INVALID` naming the file
 */
export function mergeKubeconfigs(files: readonly KubeconfigFile[]): Kubeconfig {
  const documents = files.map(readDocument);
  return {
    clusters: mergeEntries(documents, "clusters", "cluster"),
    users: mergeEntries(documents, "users", "user"),
    contexts: mergeEntries(documents, "contexts", "context"),
    currentContext: documents
      .map(({ value }) => textOf(value["current-context"]))
      .find((name) => name !== undefined),
  };
}

/**
 * Keeps one context with its cluster and user, and makes it the current one.
 *
 * @throws {ToolingError} `CREDENTIALS_INVALID` when there is no such context
 */
export function selectContext(config: Kubeconfig, name: string): Kubeconfig {
  const context = config.contexts.find((entry) => entry.name === name);
  if (context === undefined) {
    const names = config.contexts.map((entry) => entry.name);
    throw new ToolingError("CREDENTIALS_INVALID", `kubeconfig has no context "${name}"`, {
      hint: names.length === 0 ? "Add one with kubectl config." : `Choose one of: ${names.join(", ")}.`,
    });
  }
  return {
    contexts: [context],
    clusters: config.clusters.filter((entry) => entry.name === context.body["cluster"]),
    users: config.users.filter((entry) => entry.name === context.body["user"]),
    currentContext: name,
  };
}

/** The text of a kubeconfig file. */
export function formatKubeconfig({ clusters, users, contexts, currentContext }: Kubeconfig): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: listOf(clusters, "cluster"),
    users: listOf(users, "user"),
    contexts: listOf(contexts, "context"),
    "current-context": currentContext ?? "",
  });
}

function listOf(entries: readonly KubeconfigEntry[], member: string): object[] {
  return entries.map(({ name, body }) => ({ name, [member]: body }));
}

/** Whether a cluster's server is on the machine that its kubeconfig was written on (kind, minikube, k3d). */
export function isLoopbackServer(server: unknown): boolean {
  if (typeof server !== "string" || !URL.canParse(server)) return false;
  const { hostname } = new URL(server);
  return (
    hostname === "localhost" || hostname === "[::1]" || hostname === "0.0.0.0" || hostname.startsWith("127.")
  );
}

/** The program that signs a user in. Absent: none is needed. */
export function execPluginOf({ body }: KubeconfigEntry): string | undefined {
  return textOf(recordOf(body["exec"])["command"]);
}

/** A program that is named by a path of the host is looked for by its name: the image has a place of its own for it. */
export function callPluginByName(user: KubeconfigEntry): KubeconfigEntry {
  const command = execPluginOf(user);
  if (command === undefined || !command.includes("/")) return user;
  const exec = { ...recordOf(user.body["exec"]), command: posix.basename(command) };
  return { ...user, body: { ...user.body, exec } };
}

interface KubeconfigDocument {
  readonly value: Readonly<Record<string, unknown>>;
  readonly folder: string;
}

function readDocument({ path, text }: KubeconfigFile): KubeconfigDocument {
  try {
    const value: unknown = parse(text, { maxAliasCount: 20 });
    if (value === null || value === undefined) return { value: {}, folder: posix.dirname(path) };
    if (typeof value === "object" && !Array.isArray(value)) {
      return { value: recordOf(value), folder: posix.dirname(path) };
    }
  } catch (error) {
    throw invalid(path, error);
  }
  throw invalid(path);
}

function mergeEntries(
  documents: readonly KubeconfigDocument[],
  list: string,
  member: string,
): KubeconfigEntry[] {
  const byName = new Map<string, KubeconfigEntry>();
  for (const { value, folder } of documents) {
    const items: readonly unknown[] = Array.isArray(value[list]) ? (value[list] as unknown[]) : [];
    for (const item of items) {
      const name = textOf(recordOf(item)["name"]);
      if (name === undefined || byName.has(name)) continue;
      byName.set(name, { name, body: recordOf(recordOf(item)[member]), folder });
    }
  }
  return [...byName.values()];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The cause of a YAML error quotes the text, which may be a key: it is left out. */
function invalid(path: string, cause?: unknown): ToolingError {
  const position = cause instanceof Error && "linePos" in cause ? " as YAML" : "";
  return new ToolingError(
    "CREDENTIALS_INVALID",
    `"${path}" cannot be read${position}: it is not a kubeconfig file`,
    {
      hint: 'See what "kubectl config view" says about it.',
    },
  );
}
