// SPDX-License-Identifier: Apache-2.0
import type { EngineHost } from "./engine.ts";
import { resetsSignals } from "./unpacked-image.ts";

/** Programs of the host that the embedded runner uses. Absent members are not installed. */
export type HostTools = Readonly<Partial<Record<HostTool, string>>> & {
  /** Whether `env` can make a command ignore a signal, and heed it again. */
  readonly resetsSignals: boolean;
};

/** One of the programs in {@link HostTools}. */
export type HostTool = (typeof TOOL_NAMES)[number];

const TOOL_NAMES = [
  "bwrap",
  "crun",
  "env",
  "hostname",
  "mkdir",
  "mount",
  "pivot_root",
  "runc",
  "setpriv",
  "sh",
  "umount",
  "unshare",
] as const;

/** Administration programs are not on a plain user's PATH. */
export const SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin";

/** Looks the programs up. */
export async function findHostTools({ env, programs }: EngineHost): Promise<HostTools> {
  const path = [SYSTEM_PATH, env["PATH"] ?? ""].join(":");
  const found = await Promise.all(
    TOOL_NAMES.map(async (name): Promise<[HostTool, string | undefined]> => [
      name,
      await programs.find(name, path),
    ]),
  );
  const tools: Partial<Record<HostTool, string>> = {};
  for (const [name, file] of found) if (file !== undefined) tools[name] = file;
  return { ...tools, resetsSignals: tools.env !== undefined && (await resetsSignals(tools.env)) };
}

/** Small static programs that start a command, pass signals on and reap its orphans, in order of preference. */
const INIT_NAMES = ["catatonit", "tini-static", "docker-init", "tini"];

/** An init of the host that works inside any image. Absent: none is installed. */
export async function findInit({ env, programs }: EngineHost): Promise<string | undefined> {
  const path = [
    SYSTEM_PATH,
    env["PATH"] ?? "",
    "/usr/libexec/podman",
    "/usr/lib/podman",
    "/usr/libexec/docker",
  ].join(":");
  for (const name of INIT_NAMES) {
    const file = await programs.find(name, path);
    if (file !== undefined) return file;
  }
  return undefined;
}
