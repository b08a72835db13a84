// SPDX-License-Identifier: Apache-2.0
import type { LockedGo } from "../catalog/index.ts";
import type { Platform } from "../core/platform.ts";
import { downloadEnvironment, targetEnvironment } from "./go-environment.ts";
import { describeGoFailure } from "./go-failure.ts";
import { runProgram } from "./subprocess.ts";
import type { SourceContext } from "./tool-source.ts";

/** A main module on disk that builds a locked tool. */
export interface GoMain {
  /** Its folder. */
  readonly folder: string;
  readonly goroot: string;
  /** Whether go.sum may be completed from the checksum database. Absent: what it lacks is an error. */
  readonly completesSums?: boolean | undefined;
}

/**
 * Downloads everything that a tool's program imports on one platform, checked against go.sum.
 *
 * @returns how many packages it is made of
 * @throws {ToolingError} `VERSION_NOT_FOUND`, `CHECKSUM_MISMATCH`, `NETWORK_UNREACHABLE`, `DOWNLOAD_FAILED`
 */
export async function fetchDependencies(
  { folder, goroot, completesSums = false }: GoMain,
  locked: LockedGo,
  platform: Platform,
  context: SourceContext,
): Promise<number> {
  const what = `modules of ${locked.binary} ${locked.version}`;
  let done = 0;
  context.onProgress?.({ type: "started", what });
  const mode = completesSums ? "-mod=mod" : "-mod=readonly";
  const result = await runProgram(
    `${goroot}/bin/go`,
    ["list", "-deps", mode, ...tagFlags(locked), importPath(locked)],
    {
      cwd: folder,
      env: { ...(await downloadEnvironment(goroot, context)), ...targetEnvironment(platform) },
      signal: context.signal,
      onErrorLine: (line) => {
        if (line.startsWith("go: downloading"))
          context.onProgress?.({ type: "advanced", what, done: (done += 1) });
      },
    },
  );
  if (result.exitCode !== 0) {
    throw describeGoFailure(
      `${locked.module}@${locked.version}`,
      result.errorLines.join("\n"),
      locked.toolchain,
    );
  }
  context.onProgress?.({ type: "finished", what, skipped: done === 0 });
  return result.stdout.trim().split("\n").length;
}

/** Import path of a tool's main package. */
export function importPath(locked: LockedGo): string {
  return locked.package === "." ? locked.module : `${locked.module}/${locked.package}`;
}

/** Build tags as flags of the go command. */
export function tagFlags({ tags }: LockedGo): readonly string[] {
  return tags.length === 0 ? [] : [`-tags=${tags.join(",")}`];
}
