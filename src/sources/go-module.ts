// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { ToolingError } from "../core/error.ts";
import { downloadEnvironment, goFolders } from "./go-environment.ts";
import { describeGoFailure } from "./go-failure.ts";
import { runProgram } from "./subprocess.ts";
import type { SourceContext } from "./tool-source.ts";

/** A module at one version, in the module cache. */
export interface GoModule {
  readonly path: string;
  /** `v1.2.3` */
  readonly version: string;
  /** Folder of its tree, read-only. */
  readonly folder: string;
  readonly sum: string;
  readonly goModSum: string;
  /** When the version was made, RFC 3339. */
  readonly time: string;
  /** Revision it was made from. Absent: the proxy does not tell. */
  readonly commit: string | undefined;
}

/** How to fetch a module. */
export interface FetchModuleOptions {
  readonly goroot: string;
  /** Version of that toolchain, for messages. */
  readonly toolchain: string;
  /** The hash is known, so the checksum database need not be asked. */
  readonly isPinned?: boolean | undefined;
}

/**
 * Downloads a module at an exact version; its hash is checked against the checksum database unless it is pinned.
 *
 * @throws {ToolingError} `VERSION_NOT_FOUND`, `TOOLCHAIN_UNAVAILABLE`, `CHECKSUM_MISMATCH`, `NETWORK_UNREACHABLE`,
 * `DOWNLOAD_FAILED`
 */
export async function fetchGoModule(
  path: string,
  version: string,
  { goroot, toolchain, isPinned = false }: FetchModuleOptions,
  context: SourceContext,
): Promise<GoModule> {
  const what = `${path}@${version}`;
  const env = await downloadEnvironment(goroot, context);
  if (isPinned) env["GOSUMDB"] = "off";
  context.onProgress?.({ type: "started", what });
  const result = await runProgram(`${goroot}/bin/go`, ["mod", "download", "-json", what], {
    cwd: goFolders(context.cacheDir).work,
    env,
    signal: context.signal,
  });
  const answer = parseAnswer(result.stdout);
  if (result.exitCode !== 0 || answer === undefined || answer.Error !== undefined) {
    throw describeGoFailure(what, answer?.Error ?? result.errorLines.join("\n"), toolchain);
  }
  const info = JSON.parse(await readFile(answer.Info, "utf8")) as ModuleVersion;
  context.onProgress?.({ type: "finished", what, skipped: false });
  return {
    path,
    version: answer.Version,
    folder: answer.Dir,
    sum: answer.Sum,
    goModSum: answer.GoModSum,
    time: info.Time ?? "1970-01-01T00:00:00Z",
    commit: info.Origin?.Hash,
  };
}

/**
 * Versions of a module that the proxy lists, without `v`.
 *
 * @throws {ToolingError} `VERSION_NOT_FOUND` when it keeps no list, `NETWORK_UNREACHABLE`, `DOWNLOAD_FAILED`
 */
export async function listGoVersions(
  path: string,
  goroot: string,
  context: SourceContext,
): Promise<readonly string[]> {
  const result = await runProgram(`${goroot}/bin/go`, ["list", "-m", "-versions", "-json", path], {
    cwd: goFolders(context.cacheDir).work,
    env: { ...(await downloadEnvironment(goroot, context)), GOFLAGS: "-mod=mod -modcacherw" },
    signal: context.signal,
  });
  if (result.exitCode !== 0) throw describeGoFailure(path, result.errorLines.join("\n"), "");
  const { Versions = [] } = JSON.parse(result.stdout) as { readonly Versions?: readonly string[] };
  return Versions.filter((version) => !version.endsWith("+incompatible")).map((version) => version.slice(1));
}

/** What `go mod download -json` prints (go help mod download). */
interface DownloadAnswer {
  readonly Version: string;
  readonly Error?: string;
  readonly Info: string;
  readonly Dir: string;
  readonly Sum: string;
  readonly GoModSum: string;
}

/** A module version's `.info` document (go.dev/ref/mod#goproxy-protocol). */
interface ModuleVersion {
  readonly Time?: string;
  readonly Origin?: { readonly Hash?: string };
}

function parseAnswer(text: string): DownloadAnswer | undefined {
  try {
    return JSON.parse(text) as DownloadAnswer;
  } catch {
    return undefined;
  }
}

/** @throws {ToolingError} `CHECKSUM_MISMATCH` */
export function checkModuleSums(module: GoModule, moduleSum: string, goModSum: string): void {
  for (const [found, locked] of [
    [module.sum, moduleSum],
    [module.goModSum, goModSum],
  ]) {
    if (found === locked) continue;
    throw new ToolingError(
      "CHECKSUM_MISMATCH",
      `"${module.path}@${module.version}" has hash "${found}" where "${locked}" is locked`,
      {
        hint: "The Go proxy serves another module than the one that was locked: find out why before you lock it again.",
      },
    );
  }
}
