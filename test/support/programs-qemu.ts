// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";

const BINFMT = "/proc/sys/fs/binfmt_misc";
const RULE = "/usr/lib/binfmt.d/qemu-aarch64.conf";

/**
 * Whether programs for arm64 run on this machine: natively, or by qemu once its rule is registered, which is done
 * here when the machine allows it. The rule's flag F opens the interpreter at once, so it works inside containers.
 */
export function canRunArm64(): boolean {
  if (process.arch === "arm64") return true;
  if (process.platform !== "linux" || !existsSync("/usr/bin/qemu-aarch64-static")) return false;
  try {
    register();
  } catch {
    // Not allowed here, or another file of tests was faster: what is there now tells.
  }
  const rule = `${BINFMT}/qemu-aarch64`;
  return existsSync(rule) && readFileSync(rule, "utf8").startsWith("enabled");
}

function register(): void {
  if (!existsSync(`${BINFMT}/register`)) execFileSync("mount", ["-t", "binfmt_misc", "binfmt_misc", BINFMT]);
  if (!existsSync(`${BINFMT}/qemu-aarch64`)) writeFileSync(`${BINFMT}/register`, readFileSync(RULE));
}
