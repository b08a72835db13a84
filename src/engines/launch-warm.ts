// SPDX-License-Identifier: Apache-2.0
import type { WarmLaunch } from "./engine.ts";
import { launchBeside } from "./launch-beside.ts";
import { quote } from "./launch-word.ts";

/**
 * Shell that runs `$tool "$@"` in the session's warm container and exits as the command does. It goes on to the next
 * line when no container is up, or when it went away without a word.
 *
 * @param command The client's command line up to the command.
 * @param program The client, quoted.
 */
export function launchWarm(
  { marker, notes, places, container }: WarmLaunch,
  command: string,
  program: string,
): string[] {
  const sources = places.map(({ path }) => quote(path)).join(" ");
  const identities = quote(places.map(({ identity }) => identity).join("\n"));
  const signal = `${program} exec ${quote(container)} /bin/sh -c 'kill -s "$1" "$2"' sh`;
  const deliver = [
    "tries=0",
    'while kill -0 "$pid" 2>/dev/null; do',
    '  tell "$1" && return',
    "  tries=$((tries + 1))",
    '  [ "$tries" -lt 100 ] || { kill -s "$1" "$pid"; return; }',
    "  sleep 0.02",
    "done",
  ];
  return [
    `marker=${quote(marker)} name=sh-$$`,
    `note=${quote(`${notes}/`)}$name`,
    // Without a terminal of the command's own, Ctrl-C would end the client and leave the command running.
    `if [ -s "$marker" ] && [ "$tty" = "$terminal" ] && [ ! -e "$note" ] && [ ! -L "$note" ] &&`,
    // A file that was replaced on the host is still the old one in a container that runs.
    `  [ "$(stat -L -c %d:%i ${sources} 2>/dev/null)" = ${identities} ]; then`,
    "tell() {",
    "  number=",
    '  read -r number <"$note"',
    `  case $number in '' | *[!0-9]*) return 1 ;; esac`,
    `  ${signal} "$1" "$number" </dev/null >/dev/null`,
    "  return 0",
    "} 2>/dev/null",
    ...launchBeside({ command: `${command} \\\n  "$tool" "$@" <&3 3<&-`, deliver, sharesTerminal: false }),
    '  if [ -s "$note" ]; then',
    // The client went because nobody reads, and left the command behind: 128 + SIGPIPE, or an error from a socket.
    '    [ "$code" -ne 141 ] || tell PIPE',
    '    if [ "$code" -eq 1 ] && [ -S /dev/fd/1 ]; then tell PIPE; fi',
    '    rm -f "$note"',
    '    exit "$code"',
    "  fi",
    '  rm -f "$note" "$marker"',
    "  trap - HUP INT QUIT TERM",
    "  exec 3<&-",
    "fi",
  ];
}
