// SPDX-License-Identifier: Apache-2.0
import type { ContainerDialect } from "./container-command.ts";
import type { EngineStatus } from "./engine.ts";
import type { CapturedProgram } from "./program-runner.ts";

/** Milliseconds that an engine has to say that it is there. */
export const PROBE_TIMEOUT = 5000;

/** What `NAME version --format json` told. */
export interface EngineProbe {
  readonly status: EngineStatus;
  /** What the client really is: a `docker` may be podman in disguise. */
  readonly dialect: ContainerDialect;
}

/** Reads the answer of an engine's client. */
export function readProbe(name: ContainerDialect, answer: CapturedProgram): EngineProbe {
  if (answer.timedOut) {
    const reason = `"${name}" did not answer within ${PROBE_TIMEOUT / 1000} seconds`;
    return { dialect: name, status: { state: "stopped", reason, cure: `Restart the ${name} service.` } };
  }
  const { client, server } = parseVersion(answer.stdout);
  const isPodman = name === "podman" || client["APIVersion"] !== undefined;
  const dialect = isPodman ? "podman" : name;
  const told = (isPodman ? client : server)["Version"];
  const version = typeof told === "string" ? told : "";
  if (answer.exitCode === 0 && version !== "") {
    return { dialect, status: { state: "ready", version, notes: [] } };
  }
  return { dialect, status: explainFailure(name, answer.stderr) };
}

function parseVersion(text: string): Record<"client" | "server", Readonly<Record<string, unknown>>> {
  try {
    const value = JSON.parse(text) as {
      Client?: Record<string, unknown>;
      Server?: Record<string, unknown>;
    } | null;
    const server = value?.Server ?? {};
    // nerdctl names the version of containerd in a list.
    const components = server["Components"] as readonly { readonly Version?: string }[] | undefined;
    return { client: value?.Client ?? {}, server: { Version: components?.[0]?.Version, ...server } };
  } catch {
    return { client: {}, server: {} };
  }
}

function explainFailure(name: ContainerDialect, stderr: string): EngineStatus {
  const lines = stderr.split("\n").map((line) => line.trim());
  const reason = lines.find((line) => line !== "") ?? `"${name} version" gave no answer`;
  if (/permission denied/i.test(stderr)) {
    const cure = `Add yourself to the group that owns the ${name} socket and log in again, or use podman or the embedded runner.`;
    return { state: "stopped", reason, cure };
  }
  if (/cannot connect|is the docker daemon running|no such file|connection refused|dial /i.test(stderr)) {
    const service = name === "nerdctl" ? "containerd" : name;
    return {
      state: "stopped",
      reason,
      cure: `Start it ("systemctl start ${service}" or Docker Desktop), or choose another engine with --engine.`,
    };
  }
  return {
    state: "stopped",
    reason,
    cure: `See what "${name} version" says, or choose another engine with --engine.`,
  };
}
