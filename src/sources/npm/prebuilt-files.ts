// SPDX-License-Identifier: Apache-2.0
import { cpuOf, type TargetNode } from "./target-node.ts";

const SYSTEMS = "aix|android|darwin|freebsd|linux|openbsd|sunos|win32";
const PREBUILT = new RegExp(`(?:^|/)prebuilds/(${SYSTEMS})-([^/]+)/(.*)$`);

/**
 * Whether a file of a package can be of use on the target. Packages with machine code often carry it for all systems,
 * in folders such as `prebuilds/win32-x64`; what is for other ones is left out of an image.
 */
export function isForTarget(path: string, { platform }: Pick<TargetNode, "platform">): boolean {
  const [, system, cpus = "", file = ""] = PREBUILT.exec(path) ?? [];
  if (system === undefined) return true;
  return system === "linux" && cpus.split("+").includes(cpuOf(platform)) && !/(?:^|\.)musl\./.test(file);
}
