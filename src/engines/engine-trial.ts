// SPDX-License-Identifier: Apache-2.0
import type { ContainerDialect } from "./container-command.ts";
import type { EngineHost, EngineImage } from "./engine.ts";

/** A command that no image has: an engine that works looks for it and says 127, so nothing is ever started. */
const NO_COMMAND = "/.toolbox/no-such-command";

/** Milliseconds that an engine has to make an empty container. */
const TRIAL_TIMEOUT = 30_000;

/**
 * Finds out whether an engine can start anything at all, after a command ended with 125 or 126, which may be its own.
 *
 * @returns The engine's own reason. Absent: it works, so the exit code is the command's, or about this one session.
 */
export async function findEngineFault(
  { program, name }: { readonly program: string; readonly name: ContainerDialect },
  { location }: EngineImage,
  { env, programs }: EngineHost,
): Promise<string | undefined> {
  // As sessions do, it names user and folder: those of the image may not be there, which is no fault of the engine.
  const place = ["--user=0:0", "--workdir=/", "--entrypoint="];
  const argv = ["run", "--rm", "--pull=never", "--network=none", ...place, location, NO_COMMAND];
  const { exitCode, stderr, timedOut } = await programs.capture(program, argv, {
    env,
    timeout: TRIAL_TIMEOUT,
  });
  if (timedOut) return `"${name} run" did not answer within ${TRIAL_TIMEOUT / 1000} seconds`;
  // Older engines say 126 or 125 for a missing command as well, but then they name it.
  if ((exitCode !== 125 && exitCode !== 126) || stderr.includes(NO_COMMAND)) return undefined;
  const lines = stderr.split("\n").map((line) => line.trim());
  const reason = lines.find((line) => line !== "" && !/^Run '.* --help' for/.test(line));
  return reason?.replace(/^(?:Error: |docker: )+/, "") ?? "it gave no reason";
}

/** What to do when an engine cannot start anything. */
export function cureEngineFault(name: ContainerDialect, reason: string): string {
  const limits =
    name === "podman" && /rlimit/i.test(reason)
      ? " Or give podman limits that this machine allows: default_ulimits in containers.conf."
      : "";
  return `Use the embedded runner: --engine embedded, or TOOLBOX_ENGINE=embedded for good.${limits}`;
}
