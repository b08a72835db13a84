// SPDX-License-Identifier: Apache-2.0

/** A program that a launcher starts and stays beside, because it passes no signals on itself. */
export interface BesideRequest {
  /** The command line with its redirections; the caller's stdin is descriptor 3. */
  readonly command: string;
  /** Lines that send `$1` to the command behind the program `$pid`. They may wait for the command to be there. */
  readonly deliver: readonly string[];
  /** Whether a terminal's own SIGINT and SIGQUIT reach the command without help. */
  readonly sharesTerminal: boolean;
}

/**
 * Shell that runs a program to its end and leaves its exit code in `$code`. A background command ignores SIGINT and SIGQUIT
 * (POSIX), which is what lets a program outlive a Ctrl-C that its command handles; who starts the command resets them.
 */
export function launchBeside({ command, deliver, sharesTerminal }: BesideRequest): string[] {
  const pass = "trap 'pass INT' INT; trap 'pass QUIT' QUIT";
  // Whatever interrupts `wait` must make it wait again, also when there is nothing to pass on.
  const note = `trap '[ -n "$code" ] || again=1' INT QUIT`;
  return [
    "again= code= pid= early= last=",
    "deliver() {",
    ...deliver.map((line) => `  ${line}`),
    "}",
    "pass() {",
    '  [ -n "$code" ] || again=1',
    '  if [ -n "$pid" ]; then deliver "$1"; else early="$early $1"; fi',
    "}",
    "trap 'pass HUP' HUP; trap 'pass TERM' TERM",
    sharesTerminal ? `if [ -n "$terminal" ]; then ${note}; else ${pass}; fi` : pass,
    // Stdin of a background command would be /dev/null.
    "exec 3<&0",
    `${command} &`,
    "pid=$!",
    'for signal in $early; do deliver "$signal"; done',
    'while again= code=; wait "$pid"; code=$?; [ -n "$again" ]; do last=$code; done',
    // A signal in the very moment of the end: the shell has told the code already and knows no such process any more.
    '[ "$code" -ne 127 ] || [ "${last:-129}" -gt 128 ] || code=$last',
  ];
}
