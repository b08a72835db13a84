// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { isSystemError } from "../core/error.ts";
import { architectureOf, type Platform } from "../core/platform.ts";
import type { EngineHost } from "../engines/index.ts";

/** How programs of a platform can run on this machine. */
export type Emulation =
  | { readonly kind: "native" }
  /** Whoever runs the containers starts an emulator by itself. */
  | { readonly kind: "kernel" }
  /** Only by naming the emulator, a static program. */
  | { readonly kind: "program"; readonly program: string }
  | { readonly kind: "missing"; readonly reason: string };

/** What {@link chooseEmulation} goes by. */
export interface EmulationFacts {
  readonly os: NodeJS.Platform;
  /** As Node.js calls it. */
  readonly cpu: string;
  /** Text of the kernel's rule for the platform's programs. Absent: there is none. */
  readonly rule: string | undefined;
  /** Absolute path of the static emulator for the platform. Absent: not installed. */
  readonly program: string | undefined;
}

/** Decides how programs of `platform` can run. */
export function chooseEmulation(platform: Platform, { os, cpu, rule, program }: EmulationFacts): Emulation {
  const wanted = architectureOf(platform);
  if (wanted === (cpu === "arm64" ? "arm64" : "amd64")) return { kind: "native" };
  // Engines bring a virtual machine along there, whose kernel we cannot look into.
  if (os !== "linux") return { kind: "kernel" };
  // Without the flag F the kernel would look for the emulator inside of the image.
  if (rule?.startsWith("enabled") === true && /^flags:.*F/m.test(rule)) return { kind: "kernel" };
  if (program !== undefined) return { kind: "program", program };
  return {
    kind: "missing",
    reason: `programs for ${wanted} do not run here: install qemu-user-static (binfmt support)`,
  };
}

/** Looks at this machine. */
export async function findEmulation(
  platform: Platform,
  { env, os, programs }: Pick<EngineHost, "env" | "os" | "programs">,
): Promise<Emulation> {
  const name = `qemu-${architectureOf(platform) === "arm64" ? "aarch64" : "x86_64"}`;
  return chooseEmulation(platform, {
    os,
    cpu: process.arch,
    rule: await readIfThere(`/proc/sys/fs/binfmt_misc/${name}`),
    program: await programs.find(`${name}-static`, env["PATH"]),
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isSystemError(error)) return undefined;
    throw error;
  }
}
