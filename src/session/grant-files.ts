// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import type { CredentialName } from "../workspace/index.ts";
import { type CredentialGrant, emptyGrant } from "./credential-grant.ts";
import type { CredentialHost, VirtualMachine } from "./credential-host.ts";
import { HOME_FOLDER } from "./private-home.ts";
import type { SessionCopy, SessionMount } from "./session.ts";

/** A file of the host's home and what becomes of it at the same place of the session's HOME. */
interface CredentialFile {
  /** Relative to the home. Ends in a slash: every file in that folder. */
  readonly path: string;
  /** `read`: mounted read-only. `copy`: a private copy, because tools insist on writing to it. */
  readonly as: "read" | "copy";
  /** A variable that names the host's file in place of the usual one. */
  readonly variable?: string;
}

/** What one credential consists of. */
interface CredentialShape {
  /** Names of variables that are passed as secrets; a trailing `*` matches all names that begin so. */
  readonly variables: readonly string[];
  readonly files: readonly CredentialFile[];
  /** Sockets of agents: the variable or usual path on the host, the place in HOME, and the variable inside. */
  readonly sockets?: readonly CredentialSocket[];
}

interface CredentialSocket {
  readonly sources: readonly string[];
  readonly path: string;
  readonly variable?: string;
  /** The member of a virtual machine that says where it offers this socket. Absent: no engine carries it there. */
  readonly relay?: keyof VirtualMachine;
}

/** Credentials that are files, variables and sockets, and nothing cleverer. */
export type FileCredentialName = Exclude<CredentialName, "kubeconfig">;

const read = (path: string, variable?: string): CredentialFile => ({
  path,
  as: "read",
  ...(variable === undefined ? {} : { variable }),
});
const copy = (path: string): CredentialFile => ({ path, as: "copy" });

const SHAPES: Readonly<Record<FileCredentialName, CredentialShape>> = {
  aws: {
    variables: [
      "AWS_ACCESS_KEY_ID",
      "AWS_DEFAULT_REGION",
      "AWS_PROFILE",
      "AWS_REGION",
      "AWS_ROLE_ARN",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
    ],
    files: [
      read(".aws/config", "AWS_CONFIG_FILE"),
      read(".aws/credentials", "AWS_SHARED_CREDENTIALS_FILE"),
      copy(".aws/sso/cache/"),
      copy(".aws/cli/cache/"),
    ],
  },
  azure: {
    variables: ["ARM_*", "AZURE_*"],
    files: [
      "azureProfile.json",
      "clouds.config",
      "config",
      "msal_token_cache.json",
      "service_principal_entries.json",
    ].map((name) => copy(`.azure/${name}`)),
  },
  docker: { variables: [], files: [read(".docker/config.json")] },
  gcp: {
    variables: ["CLOUDSDK_*", "GCLOUD_PROJECT", "GOOGLE_CLOUD_PROJECT"],
    files: [
      read(".config/gcloud/application_default_credentials.json", "GOOGLE_APPLICATION_CREDENTIALS"),
      copy(".config/gcloud/active_config"),
      copy(".config/gcloud/access_tokens.db"),
      copy(".config/gcloud/credentials.db"),
      copy(".config/gcloud/configurations/"),
    ],
  },
  git: {
    variables: ["GIT_AUTHOR_EMAIL", "GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL", "GIT_COMMITTER_NAME"],
    files: [
      read(".config/git/config"),
      read(".config/git/ignore"),
      read(".gitconfig"),
      read(".git-credentials"),
    ],
  },
  gpg: {
    variables: [],
    files: [copy(".gnupg/pubring.kbx"), copy(".gnupg/trustdb.gpg")],
    sockets: [
      {
        sources: ["$XDG_RUNTIME_DIR/gnupg/S.gpg-agent", "$HOME/.gnupg/S.gpg-agent"],
        path: ".gnupg/S.gpg-agent",
      },
    ],
  },
  netrc: { variables: [], files: [read(".netrc", "NETRC")] },
  openstack: {
    variables: ["OS_*"],
    files: ["clouds-public.yaml", "clouds.yaml", "secure.yaml"].map((name) =>
      read(`.config/openstack/${name}`),
    ),
  },
  "ssh-agent": {
    variables: [],
    files: [read(".ssh/config"), read(".ssh/known_hosts")],
    sockets: [
      {
        sources: ["$SSH_AUTH_SOCK"],
        path: ".ssh/agent.sock",
        variable: "SSH_AUTH_SOCK",
        relay: "sshAgent",
      },
    ],
  },
};

/** The grant for a credential of files, variables and sockets. Absent ones are left out; when all are, a warning says so. */
export async function grantFiles(name: FileCredentialName, host: CredentialHost): Promise<CredentialGrant> {
  const shape = SHAPES[name];
  const copies: SessionCopy[] = [];
  const { warnings: unreachable, ...shown } = await showSockets(shape.sockets ?? [], host);
  for (const file of shape.files) {
    for (const { source, path } of await findFiles(file, host)) {
      const target = posix.join(HOME_FOLDER, path);
      if (file.as === "copy") copies.push({ source, target });
      else shown.mounts.push({ source, target, readOnly: true });
      if (file.variable !== undefined && host.env[file.variable] !== undefined)
        shown.env[file.variable] = target;
    }
  }
  const secretEnv = pickVariables(shape.variables, host.env);
  const isEmpty = shown.mounts.length + copies.length + Object.keys(secretEnv).length === 0;
  const warnings = isEmpty ? [`nothing was found for the credential "${name}"`] : unreachable;
  if (name === "docker") warnings.push(...(await warnOfHelpers(host)));
  return { ...emptyGrant(name), ...shown, copies, secretEnv, warnings };
}

interface ShownSockets {
  readonly mounts: SessionMount[];
  readonly env: Record<string, string>;
  readonly groups?: readonly number[];
  readonly warnings: string[];
}

/** A socket in a read-only mount still carries both directions; only its file is protected. */
async function showSockets(
  sockets: readonly CredentialSocket[],
  host: CredentialHost,
): Promise<ShownSockets> {
  const shown: ShownSockets = { mounts: [], env: {}, warnings: [] };
  for (const socket of sockets) {
    const target = posix.join(HOME_FOLDER, socket.path);
    const relay = socket.relay === undefined ? undefined : host.virtualMachine?.[socket.relay];
    const source = relay ?? (await findSocket(socket, host));
    if (source === undefined) continue;
    if (relay === undefined && host.virtualMachine !== undefined) {
      shown.warnings.push(
        `"${source}" is out of reach: the engine runs containers in a virtual machine, and does not carry that socket there`,
      );
      continue;
    }
    const remote = relay === undefined ? {} : { remote: true as const };
    shown.mounts.push({ source, target, readOnly: true, ...remote });
    if (socket.variable !== undefined) shown.env[socket.variable] = target;
  }
  // What the virtual machine offers belongs to its root.
  return shown.mounts.some(({ remote }) => remote) ? { ...shown, groups: [0] } : shown;
}

async function findFiles(
  { path, variable }: CredentialFile,
  { home, env, files }: CredentialHost,
): Promise<{ source: string; path: string }[]> {
  const source = posix.resolve(home, (variable === undefined ? undefined : env[variable]) ?? path);
  if (!path.endsWith("/")) return (await files.kindOf(source)) === "file" ? [{ source, path }] : [];
  const found: { source: string; path: string }[] = [];
  for (const name of await files.list(source)) {
    const inner = posix.join(source, name);
    if ((await files.kindOf(inner)) === "file") found.push({ source: inner, path: `${path}${name}` });
  }
  return found;
}

async function findSocket(
  { sources }: CredentialSocket,
  { home, env, files }: CredentialHost,
): Promise<string | undefined> {
  for (const text of sources) {
    const [, variable = "", rest = ""] = /^\$(\w+)(.*)$/.exec(text) ?? [];
    const start = variable === "HOME" ? home : env[variable];
    if (start !== undefined && start !== "" && (await files.kindOf(start + rest)) === "socket")
      return start + rest;
  }
  return undefined;
}

function pickVariables(names: readonly string[], env: CredentialHost["env"]): Record<string, string> {
  // Nothing but what is wanted is read: who watches `env` learns what a grant depends on.
  const wanted = names.flatMap((name) =>
    name.endsWith("*") ? Object.keys(env).filter((one) => one.startsWith(name.slice(0, -1))) : [name],
  );
  const picked: Record<string, string> = {};
  for (const variable of wanted) {
    const value = env[variable];
    if (value !== undefined && value !== "") picked[variable] = value;
  }
  return picked;
}

/** Helpers of the host are not in the image, so what they keep cannot be had inside. */
async function warnOfHelpers({ home, files }: CredentialHost): Promise<string[]> {
  const text = await files.readText(posix.join(home, ".docker/config.json"));
  if (text === undefined || !/"(?:credsStore|credHelpers)"/.test(text)) return [];
  return ["docker's config.json names a credential helper of this machine, which the image does not have"];
}
