// SPDX-License-Identifier: Apache-2.0
import type { BuildContext } from "../build/index.ts";
import type { LockContext, ResolvedImage } from "../build/lock/index.ts";
import { loadGoToolchains } from "../catalog/index.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import { openLayoutStore, parseManifest, parseReference } from "../oci/index.ts";
import {
  createFetcher,
  createMirrors,
  type HostPlatform,
  lockDebianBase,
  openToolSource,
  readGoDefaults,
  type SourceContext,
} from "../sources/index.ts";
import type { Workspace } from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";
import { machineClients } from "./machine-clients.ts";
import { openDispatcher } from "./machine-network.ts";
import { platformDigests } from "./platform-digests.ts";
import { openRepository, wantedOf } from "./registry-access.ts";
import { openStepRunner } from "./step-runner.ts";
import { CATALOG_FOLDER } from "./workspace-files.ts";

/** All that locking needs, joined from this machine's settings. Nothing is asked of any network yet. */
export async function openLockContext(workspace: Workspace, context: CommandContext): Promise<LockContext> {
  const { signal, onProgress } = context;
  const sourceContext = await openSourceContext(workspace, context);
  return {
    signal,
    onProgress,
    now: sourceContext.now,
    sourceOf: openToolSource,
    sourceContext,
    lockDebianBase: async ({ suite, packages }, platforms, options) => ({
      kind: "debian",
      suite,
      packages,
      platforms: await lockDebianBase(suite, packages, { ...sourceContext, ...options, platforms }),
    }),
    resolveImage: async (reference, options) =>
      await resolveImage(reference, workspace.platforms, context, options),
  };
}

/** All that building needs: the store, the cache, and the real sources. */
export async function openBuildContext(workspace: Workspace, context: CommandContext): Promise<BuildContext> {
  const { paths, signal, onProgress } = context;
  const { createLayerSources } = await import("../build/index.ts");
  const sourceContext = await openSourceContext(workspace, context);
  const openImage = async (reference: string): Promise<SourceImage> =>
    await openRepository(reference, context);
  return {
    store: await openLayoutStore(paths.store),
    cacheDir: paths.cache,
    sources: createLayerSources({ context: sourceContext, sourceOf: openToolSource, openImage }),
    runner: openStepRunner(context),
    env: context.env,
    signal,
    onProgress,
  };
}

type SourceImage = Awaited<ReturnType<NonNullable<SourceContext["openImage"]>>>;

async function openSourceContext(workspace: Workspace, context: CommandContext): Promise<SourceContext> {
  const { env, paths, signal, onProgress } = context;
  const cacheDir = paths.cache;
  const fetchFile = createFetcher({ cacheDir, dispatcher: await openDispatcher(env), now });
  const { base, folder } = workspace;
  const suite = base?.kind === "debian" ? base.suite : undefined;
  const clients = machineClients({
    env,
    cwd: folder,
    signal,
    goDefaults: async () =>
      await readGoDefaults({ fetchFile, cacheDir, mirrors, now, signal, onProgress }, { suite }),
  });
  const mirrors = createMirrors({ wishes: workspace.mirrors, env, clients });
  return {
    fetchFile,
    cacheDir,
    mirrors,
    platforms: workspace.platforms,
    host: hostOf(),
    env,
    toolchains: await loadGoToolchains(CATALOG_FOLDER),
    now,
    openImage: async (reference) => await openRepository(reference, context),
    workspaceDir: folder,
    signal,
    onProgress,
  };
}

/** The one clock of a run that is not for measuring. */
function now(): Date {
  return new Date();
}

function hostOf(): HostPlatform {
  const os = process.platform === "win32" ? "windows" : process.platform === "darwin" ? "darwin" : "linux";
  return { os, arch: process.arch === "arm64" ? "arm64" : "amd64" };
}

/** What a reference stands for now: its index, and the manifest of each platform that it has. */
async function resolveImage(
  reference: string,
  platforms: readonly Platform[],
  context: CommandContext,
  options: OperationOptions,
): Promise<ResolvedImage> {
  const parsed = parseReference(reference);
  const repository = await openRepository(parsed, context);
  const root = await repository.resolveManifest(wantedOf(parsed), options);
  const document = parseManifest(await repository.fetchManifest(root, options), root.mediaType);
  return { digest: root.digest, platforms: platformDigests(root, document, platforms) };
}
