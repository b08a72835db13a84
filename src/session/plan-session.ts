// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { accountName, planAccountFiles } from "./account.ts";
import type { CredentialGrant } from "./credential-grant.ts";
import type { CertificatePlan } from "./plan-certificates.ts";
import { type PlannedEnvironment, planEnvironment, sortNames } from "./environment.ts";
import { type MountWish, orderMounts, planMount } from "./mount.ts";
import { HOME_FOLDER, planPrivateHome } from "./private-home.ts";
import type {
  Session,
  SessionFile,
  SessionImage,
  SessionLimits,
  SessionMount,
  SessionNetwork,
  SessionUser,
} from "./session.ts";
import { planWorkingFolder, WORK_FOLDER } from "./working-folder.ts";

/** The facts of the host that a session depends on. All paths are absolute with links resolved. */
export interface SessionHost {
  readonly cwd: string;
  readonly home: string;
  readonly uid: number;
  readonly gid: number;
  /** Absent: unknown, and `user` is what the command sees. */
  readonly userName?: string | undefined;
  readonly groupName?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly umask: number;
  /** The host's zone file, `/etc/localtime` with its link resolved. Absent: UTC, or what TZ says. */
  readonly localtime?: string | undefined;
  /** Where homes and warm sessions are kept. */
  readonly stateDir: string;
  /** Whether these are terminals. */
  readonly terminal: { readonly stdin: boolean; readonly stdout: boolean };
}

/** `session:` of toolbox.yaml, or the resolved one of the lock. */
export interface SessionSettings {
  readonly mounts?: readonly MountWish[] | undefined;
  /** `NAME` passes the host's variable on, `NAME=value` sets it. */
  readonly env?: readonly string[] | undefined;
  /** Absent: `host`, so that a cluster on this machine answers at the address that its kubeconfig names. */
  readonly network?: SessionNetwork | undefined;
  readonly limits?: SessionLimits | undefined;
  readonly ports?: readonly string[] | undefined;
}

/** What {@link planSession} goes by. */
export interface SessionRequest {
  readonly image: SessionImage;
  /** The command and its arguments. Empty: `bash`. */
  readonly argv: readonly string[];
  readonly host: SessionHost;
  /** The folder of toolbox.yaml. Absent, or not above the working directory: only the working directory is shown. */
  readonly workspace?: string | undefined;
  readonly settings?: SessionSettings | undefined;
  readonly grants?: readonly CredentialGrant[] | undefined;
  /** More generated files. Absent: none. */
  readonly files?: readonly SessionFile[] | undefined;
  /** The host's own certificates. Absent: those of the image are all there is. */
  readonly certificates?: CertificatePlan | undefined;
  /** Runs as 0:0 inside instead of as the caller. */
  readonly asRoot?: boolean | undefined;
}

/**
 * Makes the session for one command: pure, so that it can be shown, compared and exported as well as run.
 *
 * @throws {ToolingError} `MOUNT_REFUSED`, `SESSION_INVALID`
 */
export function planSession(request: SessionRequest): Session {
  const { image, host, settings = {}, grants = [] } = request;
  const argv = planCommand(request.argv);
  const folder = planWorkingFolder(host.cwd, request.workspace, host.home);
  const user = withGroups(planUser(host, request.asRoot ?? false), grants);
  const tty = host.terminal.stdin && host.terminal.stdout;
  const environment = planEnvironment({
    host: host.env,
    user,
    tty,
    wishes: settings.env ?? [],
    hasLocaltime: host.localtime !== undefined && host.env["TZ"] === undefined,
    certificates: request.certificates?.env,
    imageName: image.reference ?? image.digest,
  });
  return {
    image,
    argv,
    workdir: folder.workdir,
    mounts: planMounts(request, folder.source),
    files: [...planFiles(user, request.certificates), ...(request.files ?? [])],
    copies: grants.flatMap(({ copies }) => copies),
    ...withGrants(environment, grants),
    user,
    tty,
    network: planNetwork(settings.network, grants),
    hostname: "toolbox",
    umask: host.umask,
    limits: settings.limits ?? {},
    ports: settings.ports ?? [],
  };
}

/**
 * The folder of the host that the session's HOME will be.
 *
 * @throws {ToolingError} `MOUNT_REFUSED`
 */
export function findPrivateHome(
  { cwd, home, stateDir }: Pick<SessionHost, "cwd" | "home" | "stateDir">,
  workspace: string | undefined,
): string {
  return planPrivateHome(stateDir, planWorkingFolder(cwd, workspace, home).source).source;
}

function planCommand(argv: readonly string[]): readonly string[] {
  for (const argument of argv) refuseLostBytes(argument);
  return argv.length === 0 ? ["bash"] : argv;
}

/** Adds what the credentials bring; theirs win. */
function withGrants(
  { env, secrets }: PlannedEnvironment,
  grants: readonly CredentialGrant[],
): Pick<Session, "env" | "secrets"> {
  const shown = Object.assign({}, env, ...grants.flatMap((grant) => [grant.env, grant.secretEnv]));
  const hidden = new Set([...secrets, ...grants.flatMap(({ secretEnv }) => Object.keys(secretEnv))]);
  return { env: sortNames(shown), secrets: [...hidden].toSorted() };
}

function planFiles(user: SessionUser, certificates: CertificatePlan | undefined): SessionFile[] {
  const { file } = certificates ?? {};
  return [...planAccountFiles(user), ...(file === undefined ? [] : [file])];
}

function planMounts({ host, settings, grants = [] }: SessionRequest, source: string): SessionMount[] {
  const wishes = settings?.mounts ?? [];
  const localtime: SessionMount[] =
    host.localtime === undefined || host.env["TZ"] !== undefined
      ? []
      : [{ source: host.localtime, target: "/etc/localtime", readOnly: true }];
  return orderMounts([
    ...localtime,
    planPrivateHome(host.stateDir, source),
    ...grants.flatMap(({ mounts }) => mounts),
    ...wishes.map((wish) => planMount(wish, { workspace: source, home: host.home })),
    { source, target: WORK_FOLDER, readOnly: false },
  ]);
}

function planUser({ uid, gid, userName, groupName }: SessionHost, asRoot: boolean): SessionUser {
  if (asRoot) return { uid: 0, gid: 0, name: "root", group: "root", home: HOME_FOLDER };
  const name = uid === 0 ? "root" : accountName(userName);
  return { uid, gid, name, group: gid === 0 ? "root" : accountName(groupName, name), home: HOME_FOLDER };
}

/** Root needs no group to be let in. */
function withGroups(user: SessionUser, grants: readonly CredentialGrant[]): SessionUser {
  const groups = new Set(grants.flatMap((grant) => grant.groups ?? []));
  return user.uid === 0 || groups.size === 0 ? user : { ...user, groups: [...groups] };
}

/** A session that names its network keeps it; otherwise a credential may ask for more than the default. */
function planNetwork(named: SessionNetwork | undefined, grants: readonly CredentialGrant[]): SessionNetwork {
  return named ?? grants.find(({ network }) => network !== undefined)?.network ?? "host";
}

/** Node.js reads argv as UTF-8 and puts U+FFFD where it cannot; running the altered text would be a lie. */
function refuseLostBytes(argument: string): void {
  if (!/[\0\uFFFD\uD800-\uDFFF]/u.test(argument)) return;
  throw new ToolingError("SESSION_INVALID", `argument ${JSON.stringify(argument)} is not UTF-8 text`, {
    hint: "Pass such bytes through a file or through standard input.",
  });
}
