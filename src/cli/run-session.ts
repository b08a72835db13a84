// SPDX-License-Identifier: Apache-2.0
import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import {
  type Engine,
  type EngineHost,
  type EngineImage,
  processSignals,
  type RunOutcome,
  selectEngine,
  systemFiles,
  systemPrograms,
  virtualMachineOf,
} from "../engines/index.ts";
import { openLayoutStore } from "../oci/index.ts";
import {
  type CredentialGrant,
  describeMissingNeeds,
  describeUnreachable,
  type HostFiles,
  planCertificates,
  planCredentials,
  planSession,
  type Session,
  type SessionHost,
} from "../session/index.ts";
import type { RunLock } from "../workspace/index.ts";
import { chooseImage } from "./choose-image.ts";
import { describeCaller } from "./caller.ts";
import type { CommandContext } from "./command.ts";
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
}

/**
 * Runs a command in the image and gives its exit code. Reads one lock file and starts one engine.
 *
 * @throws {ToolingError} before the command starts; afterwards the exit code is the command's own
 */
export async function runInImage(request: RunRequest, context: CommandContext): Promise<number> {
  const { session, engine, held, used } = await openFor(request, context);
  context.signal.throwIfAborted();
  context.endProgress();
  const finish = await tellFreshness(used, context);
  context.releaseSignals();
  try {
    return tell(await engine.run(session, held), context);
  } finally {
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
  const { env, files } = facts;
  const store = await openLayoutStore(paths.store);
  const { image, lock, folder, name, used } = await chooseImage(request.image, store, context);
  const host = await describeHost({ ...context, env });
  const { engine } = await selectEngine(request.engine ?? env["TOOLBOX_ENGINE"], engineHost(context), {
    signal,
  });
  const grants = await planCredentials(lock?.session?.credentials ?? [], {
    home: host.home,
    env,
    files,
    virtualMachine: virtualMachineOf(engine.name, process.platform),
    context: lock?.session?.context,
    namespace: lock?.session?.namespace,
  });
  for (const warning of describeGrants(grants, lock, name)) context.note(`note: ${warning}`);
  const certificates = await planCertificates({ env, files, publicRoots });
  for (const warning of certificates.warnings) context.note(`note: ${warning}`);
  const settings = lock?.session;
  const session = planSession({
    image,
    argv: request.argv,
    host,
    workspace: folder,
    settings,
    grants,
    certificates,
    asRoot: request.asRoot,
  });
  const { reference } = image;
  const supply = {
    store,
    ...(reference !== undefined && {
      openRegistry: async () => (await import("./registry-access.ts")).openRepository(reference, context),
    }),
  };
  const held = await engine.ensureImage(image, supply, { signal, onProgress });
  return { session, engine, held, used };
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

function describeGrants(
  grants: readonly CredentialGrant[],
  lock: RunLock | undefined,
  image: string | undefined,
): string[] {
  const warnings = [
    ...grants.flatMap((grant) => grant.warnings),
    ...describeUnreachable(grants, lock?.session?.network),
  ];
  if (lock === undefined || image === undefined) return warnings;
  const { images, binaries } = lock;
  return [...warnings, ...describeMissingNeeds(grants, { image, images, binaries })];
}

async function describeHost({ cwd, home, env, paths, terminal }: CommandContext): Promise<SessionHost> {
  const { uid, gid, name } = describeCaller();
  return {
    cwd: await realpath(cwd).catch(() => cwd),
    home: await realpath(home).catch(() => home),
    uid,
    gid,
    userName: name,
    env,
    umask: process.umask(),
    localtime: await realpath("/etc/localtime").catch(() => undefined),
    stateDir: paths.state,
    terminal: { stdin: terminal.stdin, stdout: terminal.stdout },
  };
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
    hasTerminal: terminal.stdin || terminal.stdout || terminal.stderr,
  };
}
