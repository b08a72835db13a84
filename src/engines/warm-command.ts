// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { HOME_FOLDER, type Session, WORK_FOLDER, workspaceKey } from "../session/index.ts";
import { renderContainerOptions, renderInit, type RenderOptions } from "./container-command.ts";

/** Labels that our warm containers are found by. */
export const WARM_LABELS = {
  session: "best-tools.toolbox.session",
  workspace: "best-tools.toolbox.workspace",
  image: "best-tools.toolbox.image",
} as const;

/** Where a workspace's HOME notes its warm containers: a file that is not empty means that one is up. */
export const WARM_FOLDER = ".toolbox/warm";

/** Seconds between two looks at whether anything happened. */
const LONGEST_STEP = 15;

/**
 * The first process of a warm container. It ends when nothing else ran for a while: no other process is there, and no
 * process number was used up since the last look, so that short commands count as well. Needs sh and sleep only.
 */
const IDLE_SCRIPT = `marker=$1 limit=$2 step=$3 alone=$4 idle=0 last=0
trap ': >"$marker"; exit 0' TERM INT HUP
echo "up: ends after $limit seconds without a command"
while :; do
  sleep "$step" & pid=$!
  set -- /proc/[0-9]*
  if [ $# -le "$alone" ] && [ "$pid" -eq $((last + 1)) ]; then idle=$((idle + step)); else idle=0; fi
  last=$pid
  if [ "$idle" -ge "$limit" ]; then
    : >"$marker"
    set -- /proc/[0-9]*
    [ $# -gt "$alone" ] || break
    echo up >"$marker"
    idle=0
  fi
  wait "$pid" || exit 1
done`;

/** Starts the command as itself after its number is noted, which is what signals are sent to. */
const EXEC_SCRIPT = 'umask "$1"; echo $$ >"$2"; shift 2; exec "$@"';

/** A warm container to start. */
export interface WarmPlan {
  readonly key: string;
  readonly name: string;
  /** Host path of what stands at /work. */
  readonly workspace: string;
  /** Seconds. */
  readonly idle: number;
}

/**
 * Everything that a command shares with the container it is executed in, as one name: another image, mount, user or
 * limit is another container. Environment, terminal and folder belong to each command.
 *
 * @param places One line for each thing outside of the session that must stay the same: the engine, mounted files.
 */
export function warmKey(session: Session, options: RenderOptions, places: readonly string[]): string {
  const shared = renderContainerOptions(sharedPart(session), options);
  return createHash("sha256")
    .update(JSON.stringify([session.image.digest, shared, places]))
    .digest("hex");
}

/** A name that people recognise in `docker ps`. */
export function warmName(workspace: string, key: string): string {
  return `toolbox-${workspaceKey(workspace)}-${key.slice(0, 12)}`;
}

/** The arguments that start a warm container. */
export function renderWarmStart(
  session: Session,
  { location, plan }: { readonly location: string; readonly plan: WarmPlan },
  options: RenderOptions,
): string[] {
  const init = renderInit(options);
  const { reference, digest } = session.image;
  const labels = [
    [WARM_LABELS.session, plan.key],
    [WARM_LABELS.workspace, plan.workspace],
    [WARM_LABELS.image, reference ?? digest],
  ];
  return [
    "run",
    "--detach",
    "--rm",
    "--pull=never",
    `--name=${plan.name}`,
    ...labels.map(([name, value]) => `--label=${name}=${value}`),
    ...init,
    ...renderContainerOptions(sharedPart(session), options),
    "--entrypoint=",
    location,
    "/bin/sh",
    "-c",
    IDLE_SCRIPT,
    "toolbox-idle",
    `${HOME_FOLDER}/${WARM_FOLDER}/${plan.key}`,
    String(plan.idle),
    String(Math.max(1, Math.min(LONGEST_STEP, plan.idle))),
    // This shell and its sleep, and the init.
    init.length === 0 ? "2" : "3",
  ];
}

/** The arguments that run a session's command in a warm container. Values of secret variables are not in it. */
export function renderWarmExec(session: Session, name: string, pidFile: string): string[] {
  return [
    "exec",
    "--interactive",
    ...(session.tty ? ["--tty"] : []),
    `--workdir=${session.workdir}`,
    ...Object.entries(session.env).map(([variable, value]) =>
      session.secrets.includes(variable) ? `--env=${variable}` : `--env=${variable}=${value}`,
    ),
    name,
    "/bin/sh",
    "-c",
    EXEC_SCRIPT,
    "sh",
    session.umask.toString(8).padStart(4, "0"),
    pidFile,
    ...session.argv,
  ];
}

/** The arguments that send a signal to a command in a warm container; the engines' clients do not. */
export function renderWarmSignal(name: string, signal: NodeJS.Signals, pid: string): string[] {
  return ["exec", name, "/bin/sh", "-c", 'kill -s "$1" "$2"', "sh", signal.slice(3), pid];
}

function sharedPart(session: Session): Session {
  return { ...session, workdir: WORK_FOLDER, env: {}, secrets: [] };
}
