// SPDX-License-Identifier: Apache-2.0
import type { LockedPackage } from "../../catalog/index.ts";
import { ToolingError } from "../../core/error.ts";
import type { Platform } from "../../core/platform.ts";
import type { InstalledPackage } from "../../debian/index.ts";
import { openBasePackages, upstreamVersionOf } from "../base-packages.ts";
import type { SourceContext } from "../tool-source.ts";
import type { TargetPython } from "./target-python.ts";

/** The Python that a tool will run with, and what has to be laid on the base for it. */
export interface TargetBase {
  readonly target: TargetPython;
  /** Debian packages that the base lacks; empty when it has all. */
  readonly packages: readonly LockedPackage[];
}

/**
 * Finds the Python of an image: the base's own, else the one of its Debian suite with all that it needs.
 *
 * @param wanted Debian packages that the tool needs besides `python3`.
 * @throws {ToolingError} `CONFIG_INVALID`, and as {@link openBasePackages}
 */
export async function openTargetBase(
  platform: Platform,
  wanted: readonly string[],
  context: SourceContext,
): Promise<TargetBase> {
  const needed = ["python3", ...wanted];
  const { missing, all } = await openBasePackages(platform, needed, "tools from a Python index", context);
  return { target: describeTarget(platform, all), packages: missing };
}

function describeTarget(platform: Platform, packages: readonly InstalledPackage[]): TargetPython {
  const versionOf = (name: string): string => upstreamVersionOf(name, packages);
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(versionOf("python3")) ?? [];
  const [, glibcMajor, glibcMinor] = /^(\d+)\.(\d+)/.exec(versionOf("libc6")) ?? [];
  if (major === undefined || minor === undefined || glibcMajor === undefined || glibcMinor === undefined) {
    throw new ToolingError("CONFIG_INVALID", `base for ${platform} does not tell its Python and C library`, {
      hint: "Choose a Debian suite or a Debian image as base, or name another source for the tool.",
    });
  }
  const exact = readPython(versionOf(`python${major}.${minor}-minimal`) || versionOf("python3"));
  return {
    platform,
    version: exact,
    series: [Number(major), Number(minor)],
    glibc: [Number(glibcMajor), Number(glibcMinor)],
  };
}

/** `3.14.0~rc1+ds` gives `3.14.0rc1`. */
function readPython(upstream: string): string {
  return upstream.replace(/\+.*$/, "").replace("~", "");
}
