// SPDX-License-Identifier: Apache-2.0
import semver from "semver";
import type { Platform } from "../../core/platform.ts";
import type { PackageManifest } from "./packument.ts";

/** The Node.js of an image: what packages must fit. Never the one of this machine. */
export interface TargetNode {
  readonly platform: Platform;
  /** Such as `20.19.2`. */
  readonly version: string;
}

/** Names of the CPUs as Node.js has them (`process.arch`). */
const CPUS: Readonly<Record<Platform, string>> = { "linux/amd64": "x64", "linux/arm64": "arm64" };

/** Node's name for the CPU of a platform, such as `x64`. */
export function cpuOf(platform: Platform): string {
  return CPUS[platform];
}

/** Whether a package says that it runs on Linux with the C library of Debian and the target's CPU. */
export function fitsPlatform(
  { os, cpu, libc }: Pick<PackageManifest, "os" | "cpu" | "libc">,
  { platform }: TargetNode,
): boolean {
  return isListed("linux", os) && isListed(cpuOf(platform), cpu) && isListed("glibc", libc);
}

/** Whether a package says that it runs with the target's Node.js. */
export function fitsEngine({ node }: Pick<PackageManifest, "node">, target: TargetNode): boolean {
  if (node === undefined) return true;
  return semver.satisfies(target.version, node, { includePrerelease: true });
}

/** `!name` excludes; with nothing but exclusions, all else is included (package.json, "os"). */
function isListed(value: string, list: readonly string[]): boolean {
  if (list.length === 0 || (list.length === 1 && list[0] === "any")) return true;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every((item) => item.startsWith("!"));
}
