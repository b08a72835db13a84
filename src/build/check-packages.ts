// SPDX-License-Identifier: Apache-2.0
import type { LockedPackage } from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import type { Platform } from "../core/platform.ts";
import type { NamedTool } from "./layer-order.ts";

/**
 * Checks that all tools of one image mean the same file by the same Debian package. Each tool's layer holds all that
 * the tool needs beyond the base, so a package that two of them need stands in both, and must be the same.
 *
 * @throws {ToolingError} `PATH_CONFLICT`
 */
export function checkPackages(image: string, platform: Platform, tools: readonly NamedTool[]): void {
  const found = new Map<string, { readonly item: LockedPackage; readonly tool: string }>();
  for (const { name: tool, tool: locked } of tools) {
    const entry = locked.platforms[platform];
    if (entry === undefined || !("packages" in entry)) continue;
    for (const item of entry.packages) {
      const other = found.get(item.name);
      if (other === undefined) found.set(item.name, { item, tool });
      else if (other.item.sha256 !== item.sha256) {
        throw new ToolingError(
          "PATH_CONFLICT",
          `image "${image}" needs package "${item.name}" ${other.item.version} for "${other.tool}" and ${item.version} for "${tool}"`,
          { hint: `Lock both from the same state of the suite: "toolbox update ${other.tool} ${tool}".` },
        );
      }
    }
  }
}
