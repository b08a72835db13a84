// SPDX-License-Identifier: Apache-2.0
import type { VirtualMachine } from "../session/index.ts";
import type { EngineName } from "./engine.ts";

/**
 * Where Docker Desktop (docs.docker.com/desktop/features/networking, "SSH agent forwarding") offers the ssh-agent of a Mac.
 * OrbStack does so at the same path, and Colima when it was started with `--ssh-agent`.
 */
const DOCKER_SSH_AGENT = "/run/host-services/ssh-auth.sock";

/** The virtual machine that an engine runs its containers in. Absent: they run on this machine. */
export function virtualMachineOf(name: EngineName, os: NodeJS.Platform): VirtualMachine | undefined {
  if (os !== "darwin") return undefined;
  return name === "docker" ? { sshAgent: DOCKER_SSH_AGENT } : {};
}
