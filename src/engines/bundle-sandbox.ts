// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Session } from "../session/index.ts";
import { PROBE_TIMEOUT } from "./container-status.ts";
import type { EngineHost, EngineStatus } from "./engine.ts";
import { findInit, type HostTools } from "./host-tools.ts";
import { writeBundle } from "./runtime-bundle.ts";
import type { Sandbox, SandboxCommand, SandboxRequest } from "./sandbox.ts";

/** OCI runtimes that are known to work. */
type RuntimeName = "crun" | "runc";

/** Why a plain user's bundle has no limits. */
const CGROUPS_ARE_ROOTS = "only root may make the cgroup that they need";

/** An OCI runtime, by a bundle that is written for the one run. */
export function bundleSandbox(name: RuntimeName): Sandbox {
  return {
    name,
    detect: (tools, host, options = {}) => detectRuntime(name, { tools, host, options }),
    refusesLimits: ({ uid }) => (uid === 0 ? undefined : CGROUPS_ARE_ROOTS),
    plan: (request) => planBundle(name, request),
    tellsMissingCommands: () => false,
  };
}

async function detectRuntime(
  name: RuntimeName,
  { tools, host, options: { signal } }: { tools: HostTools; host: EngineHost; options: OperationOptions },
): Promise<EngineStatus> {
  const program = tools[name];
  if (program === undefined) {
    return { state: "missing", reason: `"${name}" is not on PATH`, cure: `Install ${name}.` };
  }
  if (name === "crun" && (await isHybrid())) {
    const reason = "crun does not run where cgroups are mounted in hybrid mode";
    return { state: "stopped", reason, cure: "Boot with unified cgroups, or use runc." };
  }
  const options = { env: host.env, timeout: PROBE_TIMEOUT, signal };
  const { stdout, stderr, exitCode } = await host.programs.capture(program, ["--version"], options);
  const version = /version (\S+)/.exec(stdout)?.[1];
  if (exitCode === 0 && version !== undefined) return { state: "ready", version, notes: [] };
  const reason = stderr.split("\n")[0] ?? "";
  return {
    state: "stopped",
    reason: `"${name} --version" failed: ${reason}`,
    cure: `Reinstall ${name}.`,
  };
}

async function planBundle(
  name: RuntimeName,
  { session, image, tools, host }: SandboxRequest,
): Promise<SandboxCommand> {
  const id = `toolbox-${randomUUID()}`;
  const folder = join(host.stateDir, "bundles", id);
  const state = join(host.stateDir, name);
  await mkdir(state, { recursive: true, mode: 0o700 });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const init = await findInit(host);
  await writeBundle(session, folder, {
    root: image.root,
    uid: host.uid,
    gid: host.gid,
    init,
    needsRoot: name === "runc",
  });
  return {
    program: tools[name] ?? name,
    argv: ["--root", state, ...(name === "crun" ? cgroupOption(session) : []), "run", "--bundle", folder, id],
    clean: () => rm(folder, { recursive: true, force: true }),
  };
}

/** crun refuses some cgroup set-ups even when there is nothing to limit. */
function cgroupOption({ limits }: Session): string[] {
  return Object.values(limits).some((limit) => limit !== undefined) ? [] : ["--cgroup-manager=disabled"];
}

/** Both versions of cgroups at once, as some virtual machines have them. */
async function isHybrid(): Promise<boolean> {
  try {
    return (await stat("/sys/fs/cgroup/unified")).isDirectory();
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}
