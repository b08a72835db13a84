// SPDX-License-Identifier: Apache-2.0
import { access } from "node:fs/promises";
import { ToolingError } from "../core/error.ts";
import type { Session } from "../session/index.ts";

/**
 * Refuses a session with limits that an engine cannot keep: without them it would run, but not as it was told to.
 *
 * @param why Fits behind "because": `it has no cgroup`.
 * @throws {ToolingError} `SESSION_INVALID`
 */
export function refuseLimits({ limits }: Session, engine: string, why: string): void {
  if (Object.values(limits).every((limit) => limit === undefined)) return;
  throw new ToolingError(
    "SESSION_INVALID",
    `${engine} cannot limit memory, CPUs and processes here, because ${why}`,
    {
      hint: "Choose an engine that can with --engine (docker, podman or runc as root), or leave the limits out.",
    },
  );
}

/**
 * Refuses ports and networks where nothing stands between the command and the host's network.
 *
 * @throws {ToolingError} `SESSION_INVALID`
 */
export function refuseNetwork({ network, ports }: Session, engine: string): void {
  if (network.startsWith("engine:")) {
    throw new ToolingError(
      "SESSION_INVALID",
      `${engine} has no network "${network.slice("engine:".length)}"`,
      {
        hint: "Choose docker or podman with --engine, or the network host, default or none.",
      },
    );
  }
  if (ports.length === 0) return;
  throw new ToolingError("SESSION_INVALID", `${engine} cannot publish ports: it has no network of its own`, {
    hint: "Leave the ports out, what listens inside listens on the host; or choose docker or podman with --engine.",
  });
}

/**
 * Refuses limits to an engine in a user namespace on a machine with cgroups of the first version: they belong to root, and
 * engines leave limits out with no more than a warning.
 *
 * @throws {ToolingError} `SESSION_INVALID`
 */
export async function refuseRootlessLimits(session: Session, engine: string): Promise<void> {
  if (await hasUnifiedCgroups()) return;
  refuseLimits(
    session,
    `rootless ${engine}`,
    "this machine mounts cgroups in the old way (v1), which are root's",
  );
}

async function hasUnifiedCgroups(): Promise<boolean> {
  return access("/sys/fs/cgroup/cgroup.controllers").then(
    () => true,
    () => false,
  );
}
