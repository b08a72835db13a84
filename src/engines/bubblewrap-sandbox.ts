// SPDX-License-Identifier: Apache-2.0
import { renderBubblewrapArguments } from "./bubblewrap-command.ts";
import { PROBE_TIMEOUT } from "./container-status.ts";
import type { EngineHost, EngineStatus } from "./engine.ts";
import { signalCommand } from "./process-tree.ts";
import type { Sandbox, SandboxCommand, SandboxRequest } from "./sandbox.ts";

/** The command runs under the image's own env(1), where that can undo {@link IGNORE_SIGNALS}. */
const LAUNCHER = ["/usr/bin/env", "--default-signal=INT,QUIT", "--"];

/** bwrap itself must outlive a Ctrl-C, which the terminal sends to all; the command decides what it means. */
const IGNORE_SIGNALS = ["--ignore-signal=INT,QUIT", "--"];

/** First version with --tmp-overlay. */
const OVERLAY_VERSION = [0, 11] as const;

/** Bubblewrap: one small program that makes a sandbox of namespaces. */
export const bubblewrapSandbox: Sandbox = {
  name: "bubblewrap",
  async detect({ bwrap }, host, { signal } = {}) {
    if (bwrap === undefined) {
      return { state: "missing", reason: '"bwrap" is not on PATH', cure: "Install bubblewrap." };
    }
    const trial = [
      "--unshare-all",
      "--share-net",
      "--ro-bind",
      "/",
      "/",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--",
      bwrap,
      "--version",
    ];
    const options = { env: host.env, timeout: PROBE_TIMEOUT, signal };
    const { exitCode, stdout, stderr } = await host.programs.capture(bwrap, trial, options);
    const version = /(\d+(?:\.\d+)+)/.exec(stdout)?.[1];
    if (exitCode === 0 && version !== undefined) return { state: "ready", version, notes: notesFor(version) };
    return sandboxRefused("bwrap", stderr);
  },
  refusesLimits: () => "it makes no cgroup",
  async plan({ session, image, tools, host }: SandboxRequest): Promise<SandboxCommand> {
    const launched = canLaunch(session.argv, image.resetsSignals);
    const shielded = launched && tools.resetsSignals && tools.env !== undefined;
    const bwrap = tools.bwrap ?? "bwrap";
    const argv = renderBubblewrapArguments({
      session,
      root: image.root,
      asRoot: host.uid === 0,
      hasOverlay: await hasOverlay(bwrap, host),
      launcher: launched ? LAUNCHER : [],
    });
    return {
      ...(shielded && tools.env !== undefined
        ? { program: tools.env, argv: [...IGNORE_SIGNALS, bwrap, ...argv] }
        : { program: bwrap, argv }),
      deliver: (signal, program) => signalCommand(program, signal),
    };
  },
  async launch({ session, image, tools, host }) {
    if (tools.bwrap === undefined || !image.resetsSignals) return undefined;
    const argv = renderBubblewrapArguments({
      session,
      root: image.root,
      asRoot: host.uid === 0,
      hasOverlay: await hasOverlay(tools.bwrap, host),
      launcher: LAUNCHER,
    });
    return { program: tools.bwrap, argv, secretsFrom: "--args" };
  },
  tellsMissingCommands: ({ session, image }) => canLaunch(session.argv, image.resetsSignals),
};

/** env(1) would take a command with an equals sign in its name for a variable. */
function canLaunch([name = ""]: readonly string[], resetsSignals: boolean): boolean {
  return resetsSignals && !name.includes("=");
}

async function hasOverlay(bwrap: string, { programs, env }: EngineHost): Promise<boolean> {
  const { stdout } = await programs.capture(bwrap, ["--version"], { env });
  return isNewEnough(/(\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? "0");
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OVERLAY_VERSION[0] || (major === OVERLAY_VERSION[0] && minor >= OVERLAY_VERSION[1]);
}

function notesFor(version: string): string[] {
  return isNewEnough(version) ? [] : ["the image is read-only inside: bubblewrap before 0.11 has no overlay"];
}

/** Explains why the kernel or its keeper refused a sandbox. */
export function sandboxRefused(program: string, stderr: string): EngineStatus {
  const reason =
    stderr.split("\n").find((line) => line.trim() !== "") ?? `"${program}" could not make a sandbox`;
  const cure =
    "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns=0), or use docker or podman.";
  return { state: "stopped", reason: reason.trim(), cure };
}
