// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GoToolchain } from "../catalog/index.ts";
import { compareVersions } from "../catalog/index.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { withFileLock } from "../core/file-lock.ts";
import { makeFolder } from "../core/make-folder.ts";
import type { FetchedFile } from "./fetch-file.ts";
import { goFolders } from "./go-environment.ts";
import { goProxies } from "./go-proxy.ts";
import { unpackModule } from "./module-archive.ts";
import type { SourceContext } from "./tool-source.ts";

const MODULE = "golang.org/toolchain";
const MOST_BYTES = 512 * 1024 * 1024;
const LOCK_TIMEOUT = 60 * 60_000;

/**
 * The pinned toolchain to lock: the one named, else the newest.
 *
 * @throws {ToolingError} `TOOLCHAIN_UNAVAILABLE`
 */
export function chooseToolchain(toolchains: readonly GoToolchain[], named: string | undefined): GoToolchain {
  const newestFirst = toolchains.toSorted((a, b) => compareVersions(a.version.slice(2), b.version.slice(2)));
  const chosen = named === undefined ? newestFirst[0] : newestFirst.find(({ version }) => version === named);
  if (chosen !== undefined) return chosen;
  throw new ToolingError(
    "TOOLCHAIN_UNAVAILABLE",
    `toolchain "${named ?? "go"}" is not one of the pinned ones`,
    {
      hint: `Choose one of: ${newestFirst.map(({ version }) => version).join(", ")}.`,
    },
  );
}

/**
 * The folder (GOROOT) of a toolchain for this host, downloaded and checked against its hash when it is not there.
 *
 * @throws {ToolingError} `TOOLCHAIN_UNAVAILABLE`, `CHECKSUM_MISMATCH`, and what the fetcher throws
 */
export async function ensureToolchain(
  { version, sums }: GoToolchain,
  context: SourceContext,
): Promise<string> {
  const host = `${context.host.os}-${context.host.arch}`;
  const sum = sums[host];
  if (sum === undefined) {
    throw new ToolingError(
      "TOOLCHAIN_UNAVAILABLE",
      `toolchain "${version}" has no pinned build for "${host}"`,
      {
        hint: "Build on Linux or macOS (amd64 or arm64), or choose another source for this tool.",
      },
    );
  }
  const folder = join(goFolders(context.cacheDir).toolchains, `${version}.${host}`);
  if ((await readMark(folder)) === sum) return folder;
  return await withFileLock(`${folder}.lock`, { timeout: LOCK_TIMEOUT, signal: context.signal }, async () => {
    if ((await readMark(folder)) === sum) return folder;
    await installToolchain(folder, `v0.0.1-${version}.${host}`, sum, context);
    return folder;
  });
}

async function installToolchain(
  folder: string,
  version: string,
  sum: string,
  context: SourceContext,
): Promise<void> {
  const zip = await fetchModule(version, context);
  const toolchains = goFolders(context.cacheDir).toolchains;
  await makeFolder(toolchains);
  const temporary = await mkdtemp(join(toolchains, ".new-"));
  try {
    await unpackModule(zip.path, temporary, {
      prefix: `${MODULE}@${version}/`,
      sum,
      what: `${MODULE}@${version}`,
      signal: context.signal,
      // As the go command does it: the module format carries no execute bits and no nested go.mod.
      rename: (path) => path.replace(/(^|\/)_go\.mod$/, "$1go.mod"),
      isExecutable: (path) => path.startsWith("bin/") || path.startsWith("pkg/tool/"),
    });
    await writeFile(join(temporary, MARK), sum);
    await chmod(temporary, 0o755);
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(zip.path, { force: true });
  }
}

async function fetchModule(version: string, context: SourceContext): Promise<FetchedFile> {
  const proxies = goProxies((await context.mirrors.goSettings())["GOPROXY"] ?? "");
  let last: unknown;
  for (const { address, passOnAnyError } of proxies) {
    const request = {
      url: `${address}/${MODULE}/@v/${version}.zip`,
      name: `${MODULE}@${version}`,
      maxSize: MOST_BYTES,
    };
    try {
      return await context.fetchFile(request, context);
    } catch (error) {
      const isMissing = error instanceof ToolingError && error.code === "FILE_NOT_FOUND";
      context.signal?.throwIfAborted();
      if (!isMissing && !passOnAnyError) throw error;
      last = error;
    }
  }
  throw new ToolingError("TOOLCHAIN_UNAVAILABLE", `toolchain "${version}" is not offered by the Go proxy`, {
    hint: "Name a Go module proxy that has golang.org/toolchain in GOPROXY or in mirrors.go of toolbox.yaml.",
    cause: last,
  });
}

const MARK = ".toolbox-sum";

async function readMark(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, MARK), "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}
