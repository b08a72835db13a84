// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { architectureOf, type Platform } from "../../core/platform.ts";
import { type InstalledPackage, parseInstalledPackages } from "../../debian/index.ts";
import type { ContentSource } from "../../oci/index.ts";
import type { SourceBase, SourceContext } from "../../sources/index.ts";
import type { LockedBase } from "../../workspace/index.ts";
import { readImageTree } from "../base-image.ts";
import type { CapturedFile } from "../layer-record.ts";
import { isPackageStatus, joinPackageStatus } from "../package-status.ts";

/** What opening a base needs of the sources' context. */
export type OpenBaseContext = Pick<SourceContext, "onProgress" | "openImage" | "platforms" | "signal">;

/** Where an image says which release it is, the first that is there (os-release(5)). */
const RELEASE_FILES: readonly string[] = ["etc/os-release", "usr/lib/os-release"];

/**
 * Gives what tools of Debian find below them. An image is read when a tool asks for the first time, and then once:
 * its layers hold both the package database and the name of the release, so the lock need not.
 *
 * @returns absent without a base. The function throws `FILE_NOT_FOUND` for an image that is not Debian, and what
 * reading it throws.
 */
export function createBaseOpener(
  base: LockedBase | undefined,
  context: OpenBaseContext,
): (() => Promise<SourceBase>) | undefined {
  if (base === undefined) return undefined;
  if (base.kind === "debian") return async () => ({ suite: base.suite, packages: base.platforms });
  let opened: Promise<SourceBase> | undefined;
  return async () => await (opened ??= openImageBase(base, context));
}

async function openImageBase(
  base: LockedBase & { readonly kind: "image" },
  context: OpenBaseContext,
): Promise<SourceBase> {
  const { reference } = base;
  const source = await context.openImage?.(reference, context);
  if (source === undefined) {
    throw new ToolingError("IMAGE_NOT_FOUND", `base image "${reference}" cannot be read here`, {
      hint: "Choose a Debian suite as base.",
    });
  }
  const suites = new Map<string, Platform>();
  const packages: Partial<Record<Platform, readonly InstalledPackage[]>> = {};
  for (const platform of context.platforms) {
    const digest = base.platforms[platform] ?? base.digest;
    const found = await readPackages({ source, reference, digest, platform }, context);
    suites.set(found.suite, platform);
    packages[platform] = found.packages;
  }
  const [suite = "", ...others] = suites.keys();
  if (others.length === 0) return { suite, packages };
  const list = [...suites].map(([name, platform]) => `"${name}" for ${platform}`).join(" and ");
  throw new ToolingError("CONFIG_INVALID", `base image "${reference}" is ${list}`, {
    hint: "Choose a base that is the same release on all platforms.",
  });
}

interface PlatformImage {
  readonly source: ContentSource;
  readonly reference: string;
  readonly digest: string;
  readonly platform: Platform;
}

async function readPackages(
  { source, reference, digest, platform }: PlatformImage,
  { signal, onProgress }: OpenBaseContext,
): Promise<{ readonly suite: string; readonly packages: readonly InstalledPackage[] }> {
  const what = `read base ${platform}`;
  onProgress?.({ type: "started", what });
  const { captured } = await readImageTree(source, digest, { capture: tellsDebian, signal });
  onProgress?.({ type: "finished", what, skipped: false });
  const status = joinPackageStatus(captured);
  if (status === undefined) {
    throw notDebian(`base image "${reference}" has no dpkg database for ${platform}`);
  }
  const suite = readSuite(captured);
  if (suite === undefined) {
    throw notDebian(
      `base image "${reference}" does not say which Debian it is: "/etc/os-release" has no VERSION_CODENAME`,
    );
  }
  return { suite, packages: parseInstalledPackages(status, architectureOf(platform)) };
}

function tellsDebian(path: string): boolean {
  return RELEASE_FILES.includes(path) || isPackageStatus(path);
}

function readSuite(captured: Readonly<Record<string, CapturedFile>>): string | undefined {
  const text = RELEASE_FILES.map((path) => captured[path]?.text).find((found) => found !== undefined);
  return /^VERSION_CODENAME=["']?([a-z][a-z0-9-]*)["']?[ \t]*$/m.exec(text ?? "")?.[1];
}

function notDebian(message: string): ToolingError {
  return new ToolingError("FILE_NOT_FOUND", message, {
    hint: "Choose a Debian image as base, or name another source for the tool.",
  });
}
