// SPDX-License-Identifier: Apache-2.0
import type { Session } from "../session/index.ts";
import type { EngineHost } from "./engine.ts";
import { formatMountRecord, formatPodmanMount } from "./mount-flag.ts";
import type { ProgramEnvironment } from "./program-runner.ts";

/** Command lines that differ between engines of docker's kind. */
export type ContainerDialect = "docker" | "podman" | "nerdctl";

/** What rendering depends on besides the session. */
export interface RenderOptions {
  readonly dialect: ContainerDialect;
  /** Whether the engine runs as a plain user in a user namespace of its own. */
  readonly rootless: boolean;
  readonly selinux: boolean;
  /** Podman only: an init of the host. Absent: there is none, and the command is the first process. */
  readonly init?: string | undefined;
  /** What the container of one command is called. Absent: the engine invents a name. */
  readonly name?: string | undefined;
}

/** The umask that engines start commands with when nobody says otherwise. */
const ENGINE_UMASK = 0o022;

/**
 * The arguments of `docker run` (20.10 and newer), `podman run` or `nerdctl run` for a session whose files have been
 * turned into mounts. Values of secret variables are not in it: see {@link clientEnvironment}.
 *
 * @throws {ToolingError} `MOUNT_REFUSED`
 */
export function renderRunArguments(session: Session, location: string, options: RenderOptions): string[] {
  return [
    "run",
    "--rm",
    "--pull=never",
    // The command's output goes to the caller; a copy of it in the engine's log would fill the disk unseen.
    ...(options.dialect === "nerdctl" ? [] : ["--log-driver=none"]),
    ...(options.name === undefined ? [] : [`--name=${options.name}`]),
    ...renderInit(options),
    "--interactive",
    ...(session.tty ? ["--tty"] : []),
    ...renderContainerOptions(session, options),
    // The image may have an entrypoint of its own; the session's argv is the whole command.
    "--entrypoint=",
    location,
    ...renderCommand(session, options.dialect),
  ];
}

/** The options that say what the container is, without how its command is attached. */
export function renderContainerOptions(session: Session, options: RenderOptions): string[] {
  const { uid, gid, groups } = session.user;
  return [
    `--hostname=${session.hostname}`,
    `--workdir=${session.workdir}`,
    ...renderUser(uid, gid, options),
    ...(groups ?? []).map((group) => `--group-add=${group}`),
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    // Relabelling would change the caller's own files, so the process goes without a label instead.
    ...(options.selinux ? ["--security-opt=label=disable"] : []),
    ...renderNetwork(session),
    ...renderLimits(session),
    ...(options.dialect === "podman" ? [`--umask=${session.umask.toString(8).padStart(4, "0")}`] : []),
    ...Object.entries(session.env).map(([name, value]) =>
      session.secrets.includes(name) ? `--env=${name}` : `--env=${name}=${value}`,
    ),
    ...session.mounts.flatMap((mount) =>
      options.dialect === "podman" ? formatPodmanMount(mount) : formatMountRecord(mount),
    ),
  ];
}

/** The environment of the engine's client: the caller's own, plus the secrets that argv names without a value. */
export function clientEnvironment({ env }: EngineHost, session: Session): ProgramEnvironment {
  const secrets = session.secrets.map((name): [string, string | undefined] => [name, session.env[name]]);
  return { ...env, ...Object.fromEntries(secrets) };
}

/** Docker brings its init along; podman looks for one at a place where distributions need not put it. */
export function renderInit({ dialect, init }: RenderOptions): string[] {
  if (dialect !== "podman") return ["--init"];
  return init === undefined ? [] : ["--init", `--init-path=${init}`];
}

function renderUser(uid: number, gid: number, { dialect, rootless }: RenderOptions): string[] {
  const user = `--user=${uid}:${gid}`;
  if (!rootless) return [user];
  // Rootless podman maps the caller to root inside unless told to keep the number; files would belong to a sub-uid.
  if (dialect === "podman") return uid === 0 ? [user] : ["--userns=keep-id", user];
  // Rootless docker and nerdctl know no keep-id: there, root inside is the caller outside.
  return ["--user=0:0"];
}

function renderNetwork({ network, ports }: Session): string[] {
  const published = ports.map((port) => `--publish=${port}`);
  if (network === "default") return published;
  if (network === "host" || network === "none") return [`--network=${network}`];
  return [`--network=${network.slice("engine:".length)}`, ...published];
}

function renderLimits({ limits: { memory, cpus, pids } }: Session): string[] {
  return [
    ...(memory === undefined ? [] : [`--memory=${memory}`]),
    ...(cpus === undefined ? [] : [`--cpus=${cpus}`]),
    ...(pids === undefined ? [] : [`--pids-limit=${pids}`]),
  ];
}

/** Docker and nerdctl have no option for the umask, so a shell inside sets an unusual one and then becomes the command. */
function renderCommand({ argv, umask }: Session, dialect: ContainerDialect): string[] {
  if (dialect === "podman" || umask === ENGINE_UMASK) return [...argv];
  return ["/bin/sh", "-c", `umask ${umask.toString(8).padStart(4, "0")}; exec "$@"`, "sh", ...argv];
}
