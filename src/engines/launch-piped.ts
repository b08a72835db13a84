// SPDX-License-Identifier: Apache-2.0
import { launchBeside } from "./launch-beside.ts";
import { CONTAINER_MARK } from "./launch-word.ts";

/** A command of docker, podman or nerdctl that writes to a pipe. */
export interface PipedRequest {
  /** The client's whole command line, which names the container {@link CONTAINER_MARK}. */
  readonly command: string;
  /** The client, quoted. */
  readonly program: string;
  /** Whether the container is signalled, and not its client, which would die of it. */
  readonly signalsContainer: boolean;
}

/** What a launcher's containers are called. */
export const LAUNCHED_NAME: string = `toolbox-${CONTAINER_MARK}`;

/**
 * Shell that gives the container a name in `$launch_id`, and stays beside its client when stdout is a pipe or socket:
 * the client leaves the container running when the reader goes away, as in `kubectl logs pod -f | head`. In all other
 * cases it goes on to the next line.
 */
export function launchPiped({ command, program, signalsContainer }: PipedRequest): string[] {
  const named = `toolbox-"$launch_id"`;
  const deliver = signalsContainer
    ? [
        `while kill -0 "$pid" 2>/dev/null; do`,
        `  ${program} kill --signal="$1" ${named} </dev/null >/dev/null 2>&1 && return`,
        "  sleep 0.05",
        "done",
      ]
    : ['kill -s "$1" "$pid"'];
  return [
    "{ read -r launch_id </proc/sys/kernel/random/uuid || launch_id=$$-$(date +%s); } 2>/dev/null",
    "if [ -p /dev/fd/1 ] || [ -S /dev/fd/1 ]; then",
    ...launchBeside({ command: `${command} <&3 3<&-`, deliver, sharesTerminal: !signalsContainer }),
    // The client's own code for a lost reader, or for "denied" or "failed" as podman says; the command's own as well.
    "case $code in",
    "1 | 125 | 126 | 141)",
    // A container that ended is gone. The grace is for a command that cleans up behind itself.
    `  ${program} stop --time=2 ${named} </dev/null >/dev/null 2>&1 && code=141 ;;`,
    "esac",
    'exit "$code"',
    "fi",
  ];
}
