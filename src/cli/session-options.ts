// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { SessionLimits, SessionNetwork } from "../session/index.ts";
import { parseMemorySize } from "../workspace/index.ts";
import type { CommandInput, CommandOption } from "./command.ts";
import { textOption } from "./option-value.ts";

/** What the command line adds to the session of the workspace, for this once. */
export interface SessionExtras {
  /** The one context of kubeconfig that the command sees. Absent: as the workspace says. */
  readonly context?: string | undefined;
  /** The namespace that it starts in. Absent: as the workspace says, else the context's own. */
  readonly namespace?: string | undefined;
  /** `SOURCE:TARGET[:ro|:rw]`, on top of the workspace's own. */
  readonly mounts?: readonly string[] | undefined;
  readonly ports?: readonly string[] | undefined;
  /** Absent: as the workspace says. */
  readonly network?: SessionNetwork | undefined;
  readonly limits?: SessionLimits | undefined;
}

/** Options of commands that open a session. */
export const SESSION_OPTIONS: Readonly<Record<string, CommandOption>> = {
  context: {
    type: "string",
    value: "NAME",
    summary: "Show this context of kubeconfig only, and make it the current one",
  },
  namespace: { type: "string", short: "n", value: "NAME", summary: "Start in this namespace of the context" },
  volume: {
    type: "string",
    short: "v",
    multiple: true,
    value: "SOURCE:TARGET[:rw]",
    summary: "Show one more host path, read-only unless :rw follows",
  },
  publish: {
    type: "string",
    short: "p",
    multiple: true,
    value: "[IP:]HOST:INSIDE",
    summary: "Publish a port that a command listens on, on 127.0.0.1 unless an address stands before it",
  },
  network: { type: "string", value: "NAME", summary: "host, default, none, or a network of the engine" },
  memory: { type: "string", value: "SIZE", summary: "At most so much memory: 512m, 2g" },
  cpus: { type: "string", value: "NUMBER", summary: "At most so many CPUs: 1.5" },
  pids: { type: "string", value: "NUMBER", summary: "At most so many processes and threads" },
};

/**
 * Reads {@link SESSION_OPTIONS}.
 *
 * @throws {ToolingError} `COMMAND_USAGE`
 */
export function readSessionOptions(options: CommandInput["options"]): SessionExtras {
  const ports = valuesOf(options, "publish").map(parsePort);
  const network = parseNetwork(textOption(options, "network"), ports.length > 0);
  return {
    context: textOption(options, "context"),
    namespace: textOption(options, "namespace"),
    mounts: valuesOf(options, "volume"),
    ports,
    network,
    limits: {
      memory: readNumber(options, "memory", (text) => parseMemorySize(text) ?? 0),
      cpus: readNumber(options, "cpus", (text) => (/^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0)),
      pids: readNumber(options, "pids", (text) => (/^\d{1,7}$/.test(text) ? Number(text) : 0)),
    },
  };
}

/** Volumes may hold commas, so they are not taken apart. */
function valuesOf(options: CommandInput["options"], name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** Without an address a port is for this machine alone, not for everybody who can reach it. */
function parsePort(text: string): string {
  const parts =
    /^(?:(?<address>\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:]+\]):)?(?<host>\d{1,5}):(?<inside>\d{1,5})$/.exec(
      text,
    )?.groups;
  const numbers = [parts?.["host"], parts?.["inside"]].map(Number);
  if (parts === undefined || !numbers.every((port) => port > 0 && port < 65_536)) {
    throw wrong("publish", text, 'Write it as "8080:80" or "0.0.0.0:8080:80".');
  }
  return `${parts["address"] ?? "127.0.0.1"}:${numbers.join(":")}`;
}

function parseNetwork(text: string | undefined, hasPorts: boolean): SessionNetwork | undefined {
  if (text === undefined) return hasPorts ? "default" : undefined;
  if (hasPorts && (text === "host" || text === "none")) {
    throw wrong(
      "network",
      text,
      "Leave --publish or --network out: only a network of its own has ports to publish.",
    );
  }
  if (text === "host" || text === "default" || text === "none") return text;
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text)) return `engine:${text}`;
  throw wrong("network", text, "Write host, default, none, or the name of a network of the engine.");
}

function readNumber(
  options: CommandInput["options"],
  name: string,
  parse: (text: string) => number,
): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value > 0) return value;
  throw wrong(
    name,
    text,
    name === "memory" ? "Write a size such as 512m or 2g." : "Write a number above zero.",
  );
}

function wrong(name: string, text: string, hint: string): ToolingError {
  return new ToolingError("COMMAND_USAGE", `--${name} is "${text}"`, { hint });
}
