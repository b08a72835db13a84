// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  type Engine,
  type EngineHost,
  type EngineImage,
  type EngineName,
  lookAtOutput,
  processSignals,
  type RunOutcome,
  systemFiles,
  systemPrograms,
  useEngine,
  virtualMachineOf,
} from "../engines/index.ts";
import { ToolingError } from "../core/error.ts";
import type { ContentSource } from "../oci/index.ts";
import {
  type CredentialGrant,
  describeMissingNeeds,
  describeUnreachable,
  findPrivateHome,
  type HostFiles,
  planCertificates,
  planCredentials,
  planSession,
  planShell,
  type Session,
  type SessionHost,
  type SessionLimits,
  type SessionSettings,
} from "../session/index.ts";
import type { RunLock } from "../workspace/index.ts";
import { type ChosenImage, chooseImage } from "./choose-image.ts";
import { describeCaller } from "./caller.ts";
import type { CommandContext } from "./command.ts";
import type { SessionExtras } from "./session-options.ts";
import { tellFreshness, type UsedImage } from "./freshness-notice.ts";

export { hostPlatform } from "./choose-image.ts";

/** What to run, and what the command line says about how. */
export interface RunRequest {
  /** Empty: an interactive shell. */
  readonly argv: readonly string[];
  /** An image of the workspace, or any reference. Absent: what the lock's session says. */
  readonly image?: string | undefined;
  /** Absent: `TOOLBOX_ENGINE`, else the first that is ready. */
  readonly engine?: string | undefined;
  readonly asRoot?: boolean | undefined;
  /** An interactive shell in place of `argv`. */
  readonly isShell?: boolean | undefined;
  /** What the command line adds to the workspace's session. Absent: nothing. */
  readonly extras?: SessionExtras | undefined;
}

/**
 * Runs a command in the image and gives its exit code. Reads one lock file and starts one engine.
 *
 * @throws {ToolingError} before the command starts; afterwards the exit code is the command's own
 */
export async function runInImage(request: RunRequest, context: CommandContext): Promise<number> {
  const { session, engine, held, used, apart } = await openFor(request, context);
  context.signal.throwIfAborted();
  context.endProgress();
  const finish = await tellFreshness(used, context);
  context.releaseSignals();
  try {
    return tell(await engine.run(session, held), context);
  } finally {
    if (apart !== undefined) await rm(apart, { recursive: true, force: true });
    await finish();
  }
}

/** A shim that found its launcher out of date asks for a new one on the way. */
async function openFor(request: RunRequest, context: CommandContext): Promise<OpenRun> {
  if (context.env["TOOLBOX_SHIM"] !== "1") return await openRun(request, context);
  const { keepLauncher, watchFacts } = await import("./launcher.ts");
  const facts = watchFacts(context.env);
  const run = await openRun(request, context, facts);
  await keepLauncher(run, facts, context);
  return run;
}

/** What planning a session looks at. */
export interface RunFacts {
  readonly env: CommandContext["env"];
  readonly files: HostFiles;
}

/** A session, and an engine that holds its image. */
export interface OpenRun {
  readonly session: Session;
  readonly engine: Engine;
  readonly held: EngineImage;
  /** Absent: the command runs in an image that is built here, or that was named for this once. */
  readonly used?: UsedImage | undefined;
  /** A folder with the credentials of this one run, to be removed with it. Absent: there is none. */
  readonly apart?: string | undefined;
}

/**
 * Does all that comes before a command starts.
 *
 * @param facts What the session is planned from. Absent: this machine, unwatched.
 * @throws {ToolingError}
 */
export async function openRun(
  request: RunRequest,
  context: CommandContext,
  facts: RunFacts = { env: context.env, files: systemFiles },
): Promise<OpenRun> {
  const { signal, onProgress, paths } = context;
  const store = openStoreLate(paths.store);
  const chosen = await chooseImage(request.image, store, context);
  const apart = placeApart(request.extras ?? {}, chosen.lock, paths.state);
  const { reference } = chosen.image;
  const supply = {
    store,
    ...(reference !== undefined && {
      openRegistry: async () => (await import("./registry-access.ts")).openRepository(reference, context),
    }),
  };
  const use = async (engine: Engine): Promise<OpenRun> => {
    const session = await planRun(request, context, { ...facts, ...chosen, apart, engine: engine.name });
    const held = await engine.ensureImage(chosen.image, supply, { signal, onProgress });
    await engine.proveImage?.(chosen.image, held);
    return { session, engine, held, used: chosen.used, apart };
  };
  const wish = request.engine ?? facts.env["TOOLBOX_ENGINE"];
  return await useEngine(wish, engineHost(context), use, { signal, onProgress });
}

interface RunBasis extends RunFacts, ChosenImage {
  readonly engine: EngineName;
  readonly apart: string | undefined;
}

async function planRun(
  { argv, extras = {}, isShell = false, asRoot }: RunRequest,
  context: CommandContext,
  { image, lock, folder, name, env, files, engine, apart }: RunBasis,
): Promise<Session> {
  const host = describeHost(context, env);
  const settings = settingsOf(lock, extras);
  const { names, ...choice } = credentialsOf(lock, extras);
  const virtualMachine = virtualMachineOf(engine, process.platform);
  const privateHome = findPrivateHome(host, folder);
  const place = { home: host.home, env, files, virtualMachine, privateHome, apart };
  const grants = await planCredentials(names, { ...place, ...choice });
  for (const warning of describeGrants(grants, { lock, name, network: settings.network }))
    context.note(`note: ${warning}`);
  const certificates = await planCertificates({ env, files, publicRoots });
  for (const warning of certificates.warnings) context.note(`note: ${warning}`);
  const command = isShell ? planShell(image, name) : { argv };
  return planSession({ image, ...command, host, workspace: folder, settings, grants, certificates, asRoot });
}

/** A context that is chosen for one command must not become that of the commands beside it. */
function placeApart(
  { context, namespace }: SessionExtras,
  lock: RunLock | undefined,
  stateDir: string,
): string | undefined {
  if (context === undefined && namespace === undefined) return undefined;
  if (lock?.session?.credentials.includes("kubeconfig") === true)
    return join(stateDir, "contexts", randomUUID());
  const option = context === undefined ? "--namespace" : "--context";
  throw new ToolingError(
    "SESSION_INVALID",
    `${option} needs a kubeconfig, which this session does not name`,
    {
      hint: "Add kubeconfig to session.credentials in toolbox.yaml, then run `toolbox lock`.",
    },
  );
}

function credentialsOf(
  lock: RunLock | undefined,
  extras: SessionExtras,
): Pick<SessionExtras, "context" | "namespace"> & { readonly names: readonly string[] } {
  const { credentials: names = [], context, namespace } = lock?.session ?? {};
  return { names, context: extras.context ?? context, namespace: extras.namespace ?? namespace };
}

function settingsOf(lock: RunLock | undefined, extras: SessionExtras): SessionSettings {
  const { mounts = [], env, network, limits } = lock?.session ?? {};
  return {
    env,
    mounts: [...mounts, ...(extras.mounts ?? [])],
    network: extras.network ?? network,
    limits: { ...limits, ...withoutGaps(extras.limits) },
    ports: extras.ports,
  };
}

async function publicRoots(): Promise<string> {
  return (await import("node:tls")).rootCertificates.join("\n");
}

/** A command that did not start ends as it would in a shell: with a reason on stderr and 126 or 127. */
function tell({ exitCode, failure, hint }: RunOutcome, { complain }: CommandContext): number {
  if (failure !== undefined) complain(`error: ${failure}`);
  if (hint !== undefined) complain(`hint:  ${hint}`);
  return exitCode;
}

function withoutGaps(limits: SessionLimits = {}): SessionLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

function describeGrants(
  grants: readonly CredentialGrant[],
  { lock, name, network }: Pick<ChosenImage, "lock" | "name"> & Pick<SessionSettings, "network">,
): string[] {
  const warnings = [...grants.flatMap((grant) => grant.warnings), ...describeUnreachable(grants, network)];
  if (lock === undefined || name === undefined) return warnings;
  const { images, binaries } = lock;
  return [...warnings, ...describeMissingNeeds(grants, { image: name, images, binaries })];
}

function describeHost({ cwd, home, paths, terminal }: CommandContext, env: SessionHost["env"]): SessionHost {
  const { uid, gid, name } = describeCaller();
  return {
    cwd: realPathIfAny(cwd) ?? cwd,
    home: realPathIfAny(home) ?? home,
    uid,
    gid,
    userName: name,
    env,
    umask: process.umask(),
    localtime: realPathIfAny("/etc/localtime"),
    stateDir: paths.state,
    terminal: { stdin: terminal.stdin, stdout: terminal.stdout },
  };
}

function realPathIfAny(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch {
    return undefined;
  }
}

/** The local store, opened when something is looked for in it: an engine that holds the image needs nothing from there. */
function openStoreLate(folder: string): ContentSource {
  let opening: Promise<ContentSource> | undefined;
  const open = (): Promise<ContentSource> => (opening ??= openStore(folder));
  return {
    resolveManifest: async (...request) => (await open()).resolveManifest(...request),
    fetchManifest: async (...request) => (await open()).fetchManifest(...request),
    async *openBlob(...request) {
      yield* (await open()).openBlob(...request);
    },
  };
}

async function openStore(folder: string): Promise<ContentSource> {
  const { openLayoutStore } = await import("../oci/index.ts");
  return await openLayoutStore(folder);
}

/** What engines know of this machine. */
export function engineHost({ env, paths, terminal }: CommandContext): EngineHost {
  const { uid, gid } = describeCaller();
  return {
    os: process.platform,
    uid,
    gid,
    env,
    dataDir: dirname(paths.store),
    stateDir: paths.state,
    programs: systemPrograms,
    signals: processSignals,
    output: {
      kind: lookAtOutput(),
      // A stream takes a millisecond to make, and few runs write to it.
      get errors() {
        return process.stderr;
      },
    },
    hasTerminal: terminal.stdin || terminal.stdout || terminal.stderr,
  };
}
