// SPDX-License-Identifier: Apache-2.0
import { STYLE_NAMES, type Session, WORK_FOLDER } from "../session/index.ts";
import type { LaunchPlan } from "./engine.ts";

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
 * A piece of POSIX shell that becomes the engine's command for `$tool "$@"`, read by a shim that is in `$folder` below
 * the workspace and has found it in the file `$launcher`. It returns when anything that it was made from has changed.
 */
export function renderLauncher(request: LauncherRequest): string {
  const { workspace, session, plan } = request;
  return [
    `# Written by toolbox for ${JSON.stringify(workspace)}: it is made anew when something changes.`,
    ...guards(request),
    ...proxyLines(session),
    "tty=",
    "[ -t 0 ] && [ -t 1 ] && tty=1",
    "export TOOLBOX_SHIM=",
    `exec ${[quote(plan.program), ...plan.argv.flatMap((word) => renderWord(word, request))].join(" \\\n  ")} \\\n  "$tool" "$@"`,
    "",
  ].join("\n");
}

/** The session to render the engine's part from: what the shell decides is left out. */
export function launchedSession(session: Session): Session {
  const dynamic = new Set<string>([...STYLE_NAMES, ...session.secrets, "TERM"]);
  const env = Object.fromEntries(Object.entries(session.env).filter(([name]) => !dynamic.has(name)));
  return { ...session, argv: [], tty: false, workdir: WORK_FOLDER, env, secrets: [] };
}

function guards({ lockFile, lockDigest, plan, variables, files, session }: LauncherRequest): string[] {
  const umask = session.umask.toString(8).padStart(4, "0");
  const passed = new Set<string>([...STYLE_NAMES, ...session.secrets, "TERM"]);
  const values = [...variables]
    .filter(([name]) => !passed.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const tests = [
    `[ "$(sha256sum <${quote(lockFile)})" = '${lockDigest}  -' ]`,
    `[ "$(umask)" = ${umask} ]`,
    `[ -x ${quote(plan.program)} ]`,
    ...values.map(([name, value]) => `[ "\${${name}-}" = ${quote(value ?? "")} ]`),
    ...[...files].map(([path, isThere]) =>
      isThere ? `[ "$launcher" -nt ${quote(path)} ]` : `[ ! -e ${quote(path)} ]`,
    ),
  ];
  return tests.map((condition) => `${condition} 2>/dev/null || return 0`);
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

function renderWord(word: string, { session, workspace }: LauncherRequest): string[] {
  if (word === `--workdir=${WORK_FOLDER}`)
    return [`"--workdir=${WORK_FOLDER}\${folder#${quote(workspace)}}"`];
  if (word !== "--interactive") return [quote(word)];
  return [
    word,
    "${tty:+--tty}",
    '${tty:+"--env=TERM=${TERM-xterm-256color}"}',
    ...STYLE_NAMES.map((name) => `\${${name}:+--env=${name}}`),
    ...session.secrets.map((name) => `\${${name}+--env=${name}}`),
  ];
}

/** A word as the shell reads it back, byte for byte. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
