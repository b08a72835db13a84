// SPDX-License-Identifier: Apache-2.0
import { STYLE_NAMES, type Session } from "../session/index.ts";
import type { SandboxLaunch } from "./engine.ts";
import { launchBeside } from "./launch-beside.ts";
import { quote } from "./launch-word.ts";

/**
 * Sends a signal to the command of an embedded runner, as `signalCommand` does: the processes above it would die of it
 * and take the command with them. The kernel tells the children of a process without another program.
 */
const renderDelivery = (readyFile: string): string[] => [
  "tries=0",
  'while kill -0 "$pid"; do',
  "  init= command=",
  '  read -r init rest <"/proc/$pid/task/$pid/children"',
  `[ -n "$init" ] && [ -e "/proc/$init/root${readyFile}" ] && read -r command rest <"/proc/$init/task/$init/children"`,
  '  [ -n "$command" ] && kill -s "$1" "$command" && return',
  "  tries=$((tries + 1))",
  '  [ "$tries" -lt 200 ] || { kill -s KILL "$pid"; return; }',
  "  sleep 0.01",
  "done 2>/dev/null",
];

/**
 * A file or folder that the caller left open would let a command out of the sandbox. A shell can close descriptors of
 * one digit; with more of the others than it has itself (the script and this file), the launcher gives way.
 */
const COUNT_DESCRIPTORS = [
  "limit=${BASH_VERSION:+1} open=0",
  'for one in /proc/self/fd/??*; do [ -c "$one" ] || [ -p "$one" ] || open=$((open + 1)); done',
  '[ "$open" -le "${limit:-2}" ] || return 0',
];

/** Shell that runs `$tool "$@"` in a sandbox, with nothing of the caller's environment, and exits as the command does. */
export function launchSandboxed(
  { program, argv, env, readyFile = "/", secretsFrom }: SandboxLaunch,
  { secrets }: Session,
  renderWord: (word: string) => string,
): string[] {
  const words = [
    // The first process in the sandbox shows what it was started with, so its environment must be clean from the start.
    "/usr/bin/env",
    "-i",
    // A variable of an image may be called like an option.
    "--",
    ...Object.entries(env).flatMap(([name, value]) => (name === "" ? [] : [quote(`${name}=${value}`)])),
    ...STYLE_NAMES.map((name) => `\${${name}:+"${name}=$${name}"}`),
    '${tty:+"TERM=${TERM-xterm-256color}"}',
    quote(program),
    ...(secrets.length === 0 || secretsFrom === undefined ? [] : [secretsFrom, "4"]),
    ...argv.map(renderWord),
    '"$tool" "$@"',
  ];
  const close = [5, 6, 7, 8, 9].map((one) => `${one}>&-`).join(" ");
  const start = words.join(" \\\n  ");
  const command =
    secrets.length === 0
      ? `${start} <&3 3<&- 4>&- ${close}`
      : `${passSecrets(secrets)} | ${start} 4<&0 <&3 3<&- ${close}`;
  return [
    ...COUNT_DESCRIPTORS,
    ...launchBeside({ command, deliver: renderDelivery(readyFile), sharesTerminal: true }),
    'exit "$code"',
  ];
}

/** Through a pipe, so that no value stands in an argv. Words of bwrap; the first is there so that there is one. */
function passSecrets(secrets: readonly string[]): string {
  const words = secrets.map((name) => `\${${name}+--setenv ${name} "$${name}"}`);
  return ["printf '%s\\0' --die-with-parent", ...words].join(" \\\n  ");
}
