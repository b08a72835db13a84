// SPDX-License-Identifier: Apache-2.0
import { realpath } from "node:fs/promises";
import { userInfo } from "node:os";
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
import { ToolingError } from "../core/error.ts";
import { suggestName } from "../core/suggestion.ts";
import type { Platform } from "../core/platform.ts";
import { type LayoutStore, openLayoutStore, parseDigest, parseReference } from "../oci/index.ts";
import {
  type CredentialGrant,
  describeMissingNeeds,
  type HostFiles,
  planCertificates,
  planCredentials,
  planSession,
  type Session,
  type SessionHost,
  type SessionImage,
} from "../session/index.ts";
import {
  findWorkspace,
  localImageName,
  readRunLock,
  requireWorkspace,
  type LockedUse,
  type RunLock,
} from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";

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
  const { session, engine, held } = await openFor(request, context);
  context.signal.throwIfAborted();
  context.endProgress();
  context.releaseSignals();
  return tell(await engine.run(session, held), context);
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
  const { image, lock, folder, name } = await chooseImage(request.image, store, context);
  const host = await describeHost({ ...context, env });
  const { engine } = await selectEngine(request.engine ?? env["TOOLBOX_ENGINE"], engineHost(context), {
    signal,
  });
  const grants = await planCredentials(lock?.session?.credentials ?? [], {
    home: host.home,
    env,
    files,
    virtualMachine: virtualMachineOf(engine.name, process.platform),
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
  return { session, engine, held };
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
  const warnings = grants.flatMap((grant) => grant.warnings);
  if (lock === undefined || image === undefined) return warnings;
  const { images, binaries } = lock;
  return [...warnings, ...describeMissingNeeds(grants, { image, images, binaries })];
}

interface ChosenImage {
  readonly image: SessionImage;
  /** Absent: there is no workspace. */
  readonly lock?: RunLock | undefined;
  readonly folder?: string | undefined;
  /** Of an image that the workspace builds. Absent: what is in it is not known. */
  readonly name?: string | undefined;
}

async function chooseImage(
  wish: string | undefined,
  store: LayoutStore,
  context: CommandContext,
): Promise<ChosenImage> {
  const place =
    wish === undefined ? await requireWorkspace(context.start) : await findWorkspace(context.start);
  if (place === undefined)
    return { image: await namedImage(wish ?? "", store, { context, lock: undefined }) };
  const lock = await readRunLockFor(place.lockFile, wish);
  const folder = await realpath(place.folder);
  const name = wish ?? lock?.session?.image;
  if (name !== undefined && lock !== undefined && Object.hasOwn(lock.images, name)) {
    return { image: await builtImage(localImageName(lock.registry, name), store), lock, folder, name };
  }
  if (wish !== undefined) return { image: await namedImage(wish, store, { context, lock }), lock, folder };
  return { image: usedImage(lock?.use, place.lockFile), lock, folder };
}

function usedImage(use: LockedUse | undefined, lockFile: string): SessionImage {
  if (use === undefined) throw noImage(lockFile);
  const platform = hostPlatform();
  return { reference: use.reference, digest: parseDigest(use.platforms[platform] ?? use.digest), platform };
}

/** With an image named on the command line, a workspace without a lock is as good as none. */
async function readRunLockFor(file: string, wish: string | undefined): Promise<RunLock | undefined> {
  try {
    return await readRunLock(file);
  } catch (error) {
    if (wish !== undefined && error instanceof ToolingError && error.code === "LOCK_MISSING")
      return undefined;
    throw error;
  }
}

async function builtImage(reference: string, store: LayoutStore): Promise<SessionImage> {
  try {
    return { digest: (await store.resolveManifest(reference)).digest, platform: hostPlatform() };
  } catch (error) {
    if (!(error instanceof ToolingError) || error.code !== "IMAGE_NOT_FOUND") throw error;
    throw new ToolingError("IMAGE_NOT_FOUND", `image "${reference}" is not built on this machine`, {
      hint: "Run `toolbox build`, or name a published image with `use:` in toolbox.yaml.",
      cause: error,
    });
  }
}

/** Any reference: the store's, else the registry's. A tag is resolved once; the digest is what runs. */
async function namedImage(
  reference: string,
  store: LayoutStore,
  { context, lock }: { readonly context: CommandContext; readonly lock: RunLock | undefined },
): Promise<SessionImage> {
  const platform = hostPlatform();
  const known = await store.resolveManifest(reference).catch(() => undefined);
  if (known !== undefined) return { digest: known.digest, platform };
  if (!/[/:@.]/.test(reference)) {
    const near = suggestName(reference, Object.keys(lock?.images ?? {}));
    throw new ToolingError("IMAGE_NOT_FOUND", `image "${reference}" is not an image of this workspace`, {
      hint:
        near === undefined ? "Write a whole reference, such as HOST/NAME:TAG." : `Did you mean "${near}"?`,
    });
  }
  const parsed = parseReference(reference);
  const { openRepository } = await import("./registry-access.ts");
  const repository = await openRepository(reference, context);
  const { digest } = await repository.resolveManifest(parsed.digest ?? parsed.tag ?? "latest", {
    signal: context.signal,
  });
  return { reference, digest, platform };
}

function noImage(lockFile: string): ToolingError {
  return new ToolingError("SESSION_INVALID", `"${lockFile}" names no image to run in`, {
    hint: "Write `use:` or `images:` into toolbox.yaml, then run `toolbox lock`.",
    position: { file: lockFile, line: 1, column: 1 },
  });
}

/** The platform whose programs this machine runs. */
export function hostPlatform(): Platform {
  return process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
}

async function describeHost({ cwd, home, env, paths, terminal }: CommandContext): Promise<SessionHost> {
  const { uid, gid, username } = userInfo();
  return {
    cwd: await realpath(cwd).catch(() => cwd),
    home: await realpath(home).catch(() => home),
    uid: Math.max(0, uid),
    gid: Math.max(0, gid),
    userName: username,
    env,
    umask: process.umask(),
    localtime: await realpath("/etc/localtime").catch(() => undefined),
    stateDir: paths.state,
    terminal: { stdin: terminal.stdin, stdout: terminal.stdout },
  };
}

/** What engines know of this machine. */
export function engineHost({ env, paths, terminal }: CommandContext): EngineHost {
  const { uid, gid } = userInfo();
  return {
    os: process.platform,
    uid: Math.max(0, uid),
    gid: Math.max(0, gid),
    env,
    dataDir: dirname(paths.store),
    stateDir: paths.state,
    programs: systemPrograms,
    signals: processSignals,
    hasTerminal: terminal.stdin || terminal.stdout || terminal.stderr,
  };
}
