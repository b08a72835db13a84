// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { type CredentialGrant, emptyGrant } from "./credential-grant.ts";
import type { CredentialHost } from "./credential-host.ts";
import {
  callPluginByName,
  execPluginOf,
  formatKubeconfig,
  isLoopbackServer,
  type Kubeconfig,
  type KubeconfigEntry,
  type KubeconfigFile,
  mergeKubeconfigs,
  selectContext,
} from "./kubeconfig.ts";
import { readChoices } from "./private-choices.ts";
import { HOME_FOLDER } from "./private-home.ts";
import type { SessionMount } from "./session.ts";

/** Where kubectl looks inside. */
const TARGET = posix.join(HOME_FOLDER, ".kube/config");

/** Where a kubeconfig of one session only stands, and in which folder of its own. */
const APART_FOLDER = posix.join(HOME_FOLDER, ".kube/apart");
const APART_TARGET = posix.join(APART_FOLDER, "config");

/** Members that name files, which are carried along. */
const FILE_MEMBERS = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

/**
 * kubeconfig as one private copy, merged from KUBECONFIG or taken from `~/.kube/config`, so that switching contexts works
 * and never touches the host's files. Nothing that it names is run on the host.
 */
export async function grantKubeconfig(host: CredentialHost): Promise<CredentialGrant> {
  const files = await readFiles(host);
  if (files.length === 0) {
    return {
      ...emptyGrant("kubeconfig"),
      warnings: ["no kubeconfig was found: kubectl has no cluster to talk to"],
    };
  }
  const whole = mergeKubeconfigs(files);
  const switched = await switchedContext(whole, host);
  const chosen =
    host.context === undefined ? startFrom(whole, switched, host) : selectContext(whole, host.context);
  const config = host.namespace === undefined ? chosen : withNamespace(chosen, host.namespace);
  const { config: carried, mounts } = await carryFiles(config, host);
  const current = selectedParts(config, switched);
  const plugins = new Set(current.users.map(execPluginOf).filter((command) => command !== undefined));
  const isLocal = current.clusters.some(({ body }) => isLoopbackServer(body["server"]));
  return {
    ...emptyGrant("kubeconfig"),
    ...placeCopy(formatKubeconfig(carried), mounts, host),
    needs: [...plugins].map((command) => posix.basename(command)),
    network: isLocal ? "host" : undefined,
    warnings: describeProviders(current.users),
  };
}

/** The copy of everybody keeps what was chosen in it; one that was chosen on the command line is new each time. */
function placeCopy(
  content: string,
  mounts: readonly SessionMount[],
  { apart }: CredentialHost,
): Pick<CredentialGrant, "mounts" | "copies" | "env"> {
  if (apart === undefined) {
    const copy = { target: TARGET, content, keeps: "kubeconfig-choices" } as const;
    return { mounts, copies: [copy], env: { KUBECONFIG: TARGET } };
  }
  const folder: SessionMount = { source: apart, target: APART_FOLDER, readOnly: false, create: "folder" };
  const copies = [{ target: APART_TARGET, content }];
  return { mounts: [...mounts, folder], copies, env: { KUBECONFIG: APART_TARGET } };
}

async function readFiles({ home, env, files }: CredentialHost): Promise<KubeconfigFile[]> {
  const listed = (env["KUBECONFIG"] ?? "").split(":").filter((path) => path !== "");
  const paths =
    listed.length === 0
      ? [posix.join(home, ".kube/config")]
      : listed.map((path) => posix.resolve(home, path));
  const found: KubeconfigFile[] = [];
  for (const path of paths) {
    const text = await files.readText(path);
    if (text !== undefined) found.push({ path, text });
  }
  return found;
}

function withNamespace(config: Kubeconfig, namespace: string): Kubeconfig {
  const contexts = config.contexts.map((entry) =>
    entry.name === config.currentContext ? { ...entry, body: { ...entry.body, namespace } } : entry,
  );
  return { ...config, contexts };
}

/**
 * The context that was switched to in the private copy, which commands will use. When the host has switched since, this
 * is one command late. Absent: none that there is, or the session has only the one that it names.
 */
async function switchedContext(
  { contexts }: Kubeconfig,
  { privateHome, context, files }: CredentialHost,
): Promise<string | undefined> {
  if (privateHome === undefined || context !== undefined) return undefined;
  const path = posix.join(privateHome, posix.relative(HOME_FOLDER, TARGET));
  // Commands may have put anything there, such as a pipe that never ends.
  if ((await files.kindOf(path)) !== "file") return undefined;
  const choices = await readChoices((await files.readText(path)) ?? "");
  return contexts.find(({ name }) => name === choices.context)?.name;
}

/** A copy that is new each time starts where the copy of everybody is. */
function startFrom(whole: Kubeconfig, switched: string | undefined, { apart }: CredentialHost): Kubeconfig {
  return apart === undefined || switched === undefined ? whole : { ...whole, currentContext: switched };
}

/** What the context in use needs; everything when there is none. */
function selectedParts(config: Kubeconfig, switched = config.currentContext): Kubeconfig {
  const isThere = config.contexts.some(({ name }) => name === switched);
  return switched === undefined || !isThere ? config : selectContext(config, switched);
}

/**
 * Files that entries name are shown read-only below HOME, and the entries name them there. What is no file keeps its
 * path on the host, so that the tool's own error names what its user knows.
 */
async function carryFiles(
  config: Kubeconfig,
  { files }: CredentialHost,
): Promise<{ config: Kubeconfig; mounts: SessionMount[] }> {
  const mounts = new Map<string, SessionMount>();
  const carry = async (entry: KubeconfigEntry): Promise<KubeconfigEntry> => {
    const body: Record<string, unknown> = { ...entry.body };
    for (const member of FILE_MEMBERS) {
      const value = body[member];
      if (typeof value !== "string" || value === "") continue;
      const source = posix.resolve(entry.folder, value);
      const target = `${HOME_FOLDER}/.kube/files/${createHash("sha256").update(source).digest("hex").slice(0, 16)}`;
      const isThere = (await files.kindOf(source)) === "file";
      body[member] = isThere ? target : source;
      if (isThere) mounts.set(target, { source, target, readOnly: true });
    }
    return { ...entry, body };
  };
  const clusters = await Promise.all(config.clusters.map(carry));
  const users = await Promise.all(config.users.map(callPluginByName).map(carry));
  return { config: { ...config, clusters, users }, mounts: [...mounts.values()] };
}

function describeProviders(users: readonly KubeconfigEntry[]): string[] {
  return users
    .filter(({ body }) => body["auth-provider"] !== undefined)
    .map(
      ({ name }) =>
        `user "${name}" of kubeconfig signs in through an auth-provider, which kubectl no longer has`,
    );
}
