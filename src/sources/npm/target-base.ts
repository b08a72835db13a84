// SPDX-License-Identifier: Apache-2.0
import type { LockedPackage } from "../../catalog/index.ts";
import { ToolingError } from "../../core/error.ts";
import type { Platform } from "../../core/platform.ts";
import { openBasePackages, upstreamVersionOf } from "../base-packages.ts";
import type { SourceContext } from "../tool-source.ts";
import type { TargetNode } from "./target-node.ts";

/** The Node.js that a tool will run with, and what has to be laid on the base for it. */
export interface TargetBase {
  readonly target: TargetNode;
  /** Debian packages that the base lacks; empty when it has all. */
  readonly packages: readonly LockedPackage[];
}

/**
 * Finds the Node.js of an image: the base's own, else the one of its Debian suite with all that it needs.
 *
 * @param wanted Debian packages that the tool needs besides `nodejs`.
 * @throws {ToolingError} `CONFIG_INVALID`, and as {@link openBasePackages}
 */
export async function openTargetBase(
  platform: Platform,
  wanted: readonly string[],
  context: SourceContext,
): Promise<TargetBase> {
  const needed = ["nodejs", ...wanted];
  const { missing, all } = await openBasePackages(platform, needed, "tools from an npm registry", context);
  const version = /^\d+\.\d+\.\d+/.exec(upstreamVersionOf("nodejs", all))?.[0];
  if (version !== undefined) return { target: { platform, version }, packages: missing };
  throw new ToolingError("CONFIG_INVALID", `base for ${platform} does not tell its Node.js`, {
    hint: "Choose a Debian suite or a Debian image as base, or name another source for the tool.",
  });
}
