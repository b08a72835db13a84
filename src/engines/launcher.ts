// SPDX-License-Identifier: Apache-2.0
import { STYLE_NAMES, type Session, WORK_FOLDER } from "../session/index.ts";
import type { ClientLaunch, LaunchPlan } from "./engine.ts";
import { launchSandboxed } from "./launch-sandboxed.ts";
import { launchWarm } from "./launch-warm.ts";
import { launchPiped } from "./launch-piped.ts";
import { CONTAINER_MARK, FOLDER_MARK, NOTE_MARK, quote } from "./launch-word.ts";

/** A launcher to write. */
export interface LauncherRequest {
  /** Host path of what stands at /work. */
  readonly workspace: string;
  readonly lockFile: string;
  /** sha256 of the lock, hex. */
  readonly lockDigest: string;
  readonly session: Session;
  /** The engine's command line for the session, without terminal, variables and command of its own. */
  readonly plan: LaunchPlan;
  /** Names of variables whose values the plan depends on, and the values that they had. */
  readonly variables: ReadonlyMap<string, string | undefined>;
  /** Host files that the plan depends on, and whether they were there. */
  readonly files: ReadonlyMap<string, boolean>;
}

/**
 * A piece of POSIX shell that becomes the engine's command for `$tool "$@"`, or stays beside it when the engine passes
 * no signals on. A shim reads it that is in `$folder` below the workspace and has found it in the file `$launcher`. It
 * returns when anything that it was made from has changed.
 */
export function renderLauncher(request: LauncherRequest): string {
  const { workspace, session, plan } = request;
  return [
    `# Written by toolbox for ${JSON.stringify(workspace)}: it is made anew when something changes.`,
    ...guards(request),
    ...proxyLines(session),
    "tty= terminal=",
    "[ -t 0 ] && [ -t 1 ] && tty=1",
    "{ [ -t 0 ] || [ -t 1 ] || [ -t 2 ]; } && terminal=1",
    "export TOOLBOX_SHIM=",
    ...(plan.kind === "sandbox"
      ? launchSandboxed(plan, session, (word) => renderWord(word, request))
      : launchByClient(plan, request)),
    "",
  ].join("\n");
}

/** The session to render the engine's part from: what the shell decides is left out. */
export function launchedSession(session: Session): Session {
  const dynamic = new Set<string>([...STYLE_NAMES, ...session.secrets, "TERM"]);
  const env = Object.fromEntries(Object.entries(session.env).filter(([name]) => !dynamic.has(name)));
  return { ...session, argv: [], tty: false, workdir: FOLDER_MARK, env, secrets: [] };
}

function launchByClient(
  { program, argv, warm, signalsContainer }: ClientLaunch,
  request: LauncherRequest,
): string[] {
  const line = (words: readonly string[]): string =>
    [quote(program), ...words.flatMap((word) => renderClientWord(word, request))].join(" \\\n  ");
  const command = `${line(argv)} \\\n  "$tool" "$@"`;
  return [
    ...(warm === undefined ? [] : launchWarm(warm, line(warm.argv), quote(program))),
    ...launchPiped({ command, program: quote(program), signalsContainer }),
    `exec ${command}`,
  ];
}

function guards({ lockFile, lockDigest, plan, variables, files, session }: LauncherRequest): string[] {
  const umask = session.umask.toString(8).padStart(4, "0");
  const passed = new Set<string>([...STYLE_NAMES, ...session.secrets, "TERM"]);
  const values = [...variables]
    .filter(([name]) => !passed.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const tests = [
    `[ -x ${quote(plan.program)} ]`,
    ...plan.sources.map((path) => `[ -e ${quote(path)} ]`),
    ...[...plan.links].map(([path, target]) => `[ ${quote(path)} -ef ${quote(target)} ]`),
    // What is empty may be left out of a session, which only planning knows.
    ...session.secrets
      .filter((name) => !isProxyName(name.toLowerCase()) && session.env[name] !== "")
      .map((name) => `[ -n "\${${name}-}" ]`),
    ...values.map(([name, value]) => `[ "\${${name}-}" = ${quote(value ?? "")} ]`),
    ...[...files].map(([path, isThere]) =>
      isThere ? `[ "$launcher" -nt ${quote(path)} ]` : `[ ! -e ${quote(path)} ]`,
    ),
    // Two questions in one subshell, because a subshell is what costs.
    `[ "$(umask; sha256sum <${quote(lockFile)})" = '${umask}\n${lockDigest}  -' ]`,
  ];
  return [`{ ${tests.join(" &&\n  ")}; } 2>/dev/null || return 0`];
}

/** Tools differ in the spelling that they read, so both are set to the caller's value of today. */
function proxyLines({ secrets }: Session): string[] {
  return secrets.filter(isProxyName).flatMap((lower) => {
    const upper = lower.toUpperCase();
    return [`${lower}=\${${lower}:-\${${upper}-}}`, `${upper}=$${lower}`, `export ${lower} ${upper}`];
  });
}

function isProxyName(name: string): boolean {
  return name.endsWith("_proxy");
}

function renderClientWord(word: string, request: LauncherRequest): string[] {
  if (word !== "--interactive") return [renderWord(word, request)];
  return [
    word,
    "${tty:+--tty}",
    '${tty:+"--env=TERM=${TERM-xterm-256color}"}',
    ...STYLE_NAMES.map((name) => `\${${name}:+--env=${name}}`),
    ...request.session.secrets.map((name) => `\${${name}+--env=${name}}`),
  ];
}

/** One word of a plan: what is marked in it is known to the shell only. */
function renderWord(word: string, { workspace }: LauncherRequest): string {
  const marks = new Map([
    [FOLDER_MARK, `"${WORK_FOLDER}\${folder#${quote(workspace)}}"`],
    [NOTE_MARK, '"$name"'],
    [CONTAINER_MARK, '"$launch_id"'],
  ]);
  const parts = word.split(/(\0[a-z]+\0)/).filter((part) => part !== "");
  return parts.length === 0 ? quote("") : parts.map((part) => marks.get(part) ?? quote(part)).join("");
}
