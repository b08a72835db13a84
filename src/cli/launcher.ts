// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFile, realpath, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { ToolingError } from "../core/error.ts";
import { launchedSession, type LaunchPlan, renderLauncher, systemFiles } from "../engines/index.ts";
import { type HostFiles, type Session, WORK_FOLDER } from "../session/index.ts";
import { findWorkspace, readRunLock } from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";
import type { OpenRun, RunFacts } from "./run-session.ts";

/**
 * Credentials whose files and variables are all seen while they are planned. The others take every variable whose name
 * begins with a word, and a shell cannot tell that one more has come.
 */
const LAUNCHABLE = new Set(["aws", "docker", "git", "gpg", "kubeconfig", "netrc", "ssh-agent"]);

/** Variables that say which engine is used, which certificates are trusted, and where the user's things are. */
const GUARDED_NAMES = [
  "CONTAINERD_ADDRESS",
  "CONTAINERD_NAMESPACE",
  "CONTAINER_HOST",
  "CONTAINERS_STORAGE_CONF",
  "CURL_CA_BUNDLE",
  "DOCKER_CONTEXT",
  "DOCKER_HOST",
  "HOME",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "SSL_CERT_FILE",
  "TOOLBOX_ENGINE",
  "TOOLBOX_STORE",
  "XDG_DATA_HOME",
];

/** The zone file, whose link may come to lead elsewhere. */
const LOCALTIME = "/etc/localtime";

/** Where launchers are kept: at the path of their workspace, so that a shell finds them without calculating. */
export function launcherFolder({ paths }: Pick<CommandContext, "paths">): string {
  return join(paths.state, "launchers");
}

/** Facts of the host, and what of them was looked at. */
export interface WatchedFacts extends RunFacts {
  readonly variables: ReadonlyMap<string, string | undefined>;
  readonly paths: ReadonlySet<string>;
}

/** Wraps what planning looks at, so that a launcher knows what it depends on. */
export function watchFacts(env: CommandContext["env"]): WatchedFacts {
  const variables = new Map(GUARDED_NAMES.map((name) => [name, env[name]]));
  const paths = new Set<string>();
  const look = (path: string): string => {
    paths.add(path);
    return path;
  };
  const files: HostFiles = {
    kindOf: (path) => systemFiles.kindOf(look(path)),
    readText: (path) => systemFiles.readText(look(path)),
    list: (path) => systemFiles.list(look(path)),
  };
  const watched = new Proxy(env, {
    get(target, name) {
      if (typeof name !== "string") return undefined;
      if (/^[A-Za-z_]\w*$/.test(name)) variables.set(name, target[name]);
      return target[name];
    },
  });
  return { env: watched, files, variables, paths };
}

/**
 * Writes the launcher of the workspace for the next call of a shim, or takes it away when this session cannot have one.
 * A launcher that cannot be written costs time only, so nothing stops for it.
 */
export async function keepLauncher(
  run: OpenRun,
  facts: WatchedFacts,
  context: CommandContext,
): Promise<void> {
  const place = await findWorkspace(context.start);
  if (place === undefined) return;
  const folder = await realpath(place.folder);
  const file = join(launcherFolder(context), folder, "launcher.sh");
  try {
    const text = await planLauncher(run, facts, { context, folder });
    if (text === undefined) await rm(file, { force: true });
    else await writeFileAtomically(file, text, { mode: 0o600 });
  } catch (error) {
    if (!(error instanceof ToolingError)) throw error;
  }
}

function isLaunchable({ secrets }: Session, credentials: readonly string[] = []): boolean {
  // Shims and launchers have variables of their own, all in lower case.
  const areFree = secrets.every((name) => name !== name.toLowerCase() || name.endsWith("_proxy"));
  return areFree && credentials.every((name) => LAUNCHABLE.has(name));
}

async function planLauncher(
  { session, engine, held }: OpenRun,
  facts: WatchedFacts,
  { context, folder }: { readonly context: CommandContext; readonly folder: string },
): Promise<string | undefined> {
  const lockFile = join(folder, "toolbox.lock");
  const { session: settings } = await readRunLock(lockFile);
  const work = session.mounts.find(({ target }) => target === WORK_FOLDER)?.source;
  // A folder outside of the workspace shows itself at /work, which no launcher of the workspace does.
  if (!isLaunchable(session, settings?.credentials) || work !== folder) return undefined;
  const plan = await engine.plan(
    { ...launchedSession(session), files: session.files, copies: session.copies },
    held,
  );
  if (plan === undefined || (session.secrets.length > 0 && !carriesSecrets(plan))) return undefined;
  const localtime = session.mounts.find(({ target }) => target === LOCALTIME);
  const paths = new Set([
    ...facts.paths,
    plan.program,
    // A build moves the image without a new lock.
    ...(session.image.reference === undefined ? [join(context.paths.store, "index.json")] : []),
  ]);
  const files = new Map<string, boolean>();
  for (const path of [...paths].toSorted()) files.set(path, await exists(path));
  const lockDigest = createHash("sha256")
    .update(await readFile(lockFile))
    .digest("hex");
  return renderLauncher({
    workspace: folder,
    lockFile,
    lockDigest,
    session,
    plan: {
      ...plan,
      links: new Map([
        ...plan.links,
        ...(localtime === undefined ? [] : [[LOCALTIME, localtime.source] as const]),
      ]),
    },
    variables: facts.variables,
    files,
  });
}

function carriesSecrets(plan: LaunchPlan): boolean {
  return plan.kind === "client" || plan.secretsFrom !== undefined;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
