// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { EngineName } from "./engine.ts";
import { virtualMachineOf } from "./virtual-machine.ts";

test.each<[EngineName, NodeJS.Platform, ReturnType<typeof virtualMachineOf>]>([
  ["docker", "linux", undefined],
  ["bubblewrap", "linux", undefined],
  ["docker", "darwin", { sshAgent: "/run/host-services/ssh-auth.sock" }],
  ["podman", "darwin", {}],
  ["nerdctl", "darwin", {}],
])("%s on %s", (name, os, expected) => {
  expect(virtualMachineOf(name, os)).toEqual(expected);
});
