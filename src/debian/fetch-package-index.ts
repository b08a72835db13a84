// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { decompress } from "../archive/index.ts";
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import {
  createPackageIndex,
  type PackageIndex,
  type PackageRecord,
  readPackageRecords,
} from "./package-index.ts";
import { parseRelease, type Release } from "./release-file.ts";
import { checkReleaseFreshness } from "./release-freshness.ts";
import { type Keyring, verifyInRelease } from "./signed-release.ts";

/** A file of a mirror. */
export interface MirrorFile {
  /** Path below the mirror's root, such as `dists/trixie/InRelease`. */
  readonly path: string;
  /** What it is, for people. Absent: its path tells. */
  readonly name?: string;
  /** 64 hex digits. Absent: the caller verifies it, and it must not come from a cache. */
  readonly sha256?: string;
  /** Bytes. Absent: unknown. */
  readonly size?: number;
  /** Most bytes accepted where `size` is absent. */
  readonly maxSize?: number;
}

/** One address that serves Debian suites. */
export interface DebianMirror {
  /**
   * Gives the path of the file on this machine, its digest checked.
   *
   * @throws {ToolingError} `FILE_NOT_FOUND` when the mirror does not have it, and what downloading throws
   */
  fetchFile(file: MirrorFile, options: OperationOptions): Promise<string>;
}

/** One suite to read. */
export interface SuiteRequest {
  readonly name: string;
  /** Without it there is no index; another is passed over, with a note, where no mirror has it. */
  readonly required: boolean;
}

/** Where to read suites from, and whom to trust. */
export interface FetchPackageIndexOptions extends OperationOptions {
  readonly mirrors: readonly DebianMirror[];
  readonly suites: readonly SuiteRequest[];
  /** Absent: `main`. */
  readonly components?: readonly string[] | undefined;
  readonly keyring: Keyring;
  readonly now: Date;
  /** File that remembers the newest date seen of each suite. Absent: nothing is remembered. */
  readonly stateFile?: string | undefined;
}

const LARGEST_RELEASE = 16 * 1024 * 1024;

/** The suite itself, its updates and its security updates; a suite that moves all the time has none of these. */
export function listSuites(suite: string): readonly SuiteRequest[] {
  if (/^(?:sid|unstable|experimental)$|-/u.test(suite)) return [{ name: suite, required: true }];
  return [
    { name: suite, required: true },
    { name: `${suite}-updates`, required: false },
    { name: `${suite}-security`, required: false },
  ];
}

/**
 * Fetches, verifies and joins the package indexes of some suites for one architecture. Each suite is taken from the
 * first mirror that has it, since security updates have a mirror of their own.
 *
 * @throws {ToolingError} `DEBIAN_SIGNATURE_INVALID`, `DEBIAN_INDEX_INVALID`, `DEBIAN_INDEX_EXPIRED`,
 * `DEBIAN_INDEX_ROLLBACK`, `FILE_NOT_FOUND`, and what downloading throws
 */
export async function fetchPackageIndex(
  architecture: string,
  options: FetchPackageIndexOptions,
): Promise<PackageIndex> {
  const records: PackageRecord[] = [];
  for (const suite of options.suites) {
    const found = await findSuite(suite, options);
    if (found === undefined) {
      const note = "no mirror has this suite, so it was left out";
      options.onProgress?.({ type: "noted", what: `debian ${suite.name}`, note });
      continue;
    }
    for (const index of listIndexes(
      found.release,
      suite.name,
      architecture,
      options.components ?? ["main"],
    )) {
      const path = await fetchIndex(found.mirror, suite.name, index, found.release, options);
      const content = decompress(createReadStream(path), { signal: options.signal });
      for (const record of await readPackageRecords(content, suite.name)) records.push(record);
    }
  }
  return createPackageIndex(records, architecture);
}

interface FoundSuite {
  readonly mirror: DebianMirror;
  readonly release: Release;
}

async function findSuite(
  { name, required }: SuiteRequest,
  { mirrors, keyring, now, stateFile, signal, onProgress }: FetchPackageIndexOptions,
): Promise<FoundSuite | undefined> {
  const file = {
    path: `dists/${name}/InRelease`,
    name: `Debian ${name} release`,
    maxSize: LARGEST_RELEASE,
  };
  let failure: unknown;
  for (const mirror of mirrors) {
    let path;
    try {
      path = await mirror.fetchFile(file, { signal, onProgress });
    } catch (error) {
      if (!mayTryNext(error)) throw error;
      // A mirror that cannot be asked says more than one that does not have the suite.
      failure = failure === undefined || isMissing(failure) ? error : failure;
      continue;
    }
    const text = await verifyInRelease(await readFile(path, "utf8"), keyring, { now, suite: name });
    const release = parseRelease(text);
    await checkReleaseFreshness(release, name, now, { stateFile, signal });
    return { mirror, release };
  }
  if (failure !== undefined && !isMissing(failure)) throw failure;
  if (!required) return undefined;
  throw new ToolingError("FILE_NOT_FOUND", `suite "${name}" is on no Debian mirror of this machine`, {
    hint: 'Check the suite, or name a mirror that has it as "mirrors: debian:" in toolbox.yaml.',
    cause: failure,
  });
}

interface NamedIndex {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

/** gzip before xz: it is a third larger, and four times as fast to read. */
const SUFFIXES = [".gz", ".xz", ""];

function listIndexes(
  release: Release,
  suite: string,
  architecture: string,
  components: readonly string[],
): readonly NamedIndex[] {
  const architectures = release.separateAll ? [architecture, "all"] : [architecture];
  return components.flatMap((component) =>
    architectures.flatMap((name) => {
      const base = `${component}/binary-${name}/Packages`;
      for (const suffix of SUFFIXES) {
        const index = release.indexes.get(`${base}${suffix}`);
        if (index !== undefined) return [{ path: `${base}${suffix}`, ...index }];
      }
      if (name === "all") return [];
      throw new ToolingError(
        "PLATFORM_UNAVAILABLE",
        `suite "${suite}" has no packages for "${architecture}"`,
        {
          hint: "Leave that platform out, or take another suite.",
        },
      );
    }),
  );
}

/** By its digest where the mirror offers that: the plain name may change between Release and index. */
async function fetchIndex(
  mirror: DebianMirror,
  suite: string,
  { path, sha256, size }: NamedIndex,
  { byHash }: Release,
  { signal, onProgress }: FetchPackageIndexOptions,
): Promise<string> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const [component, binary = ""] = folder.split("/");
  // Everybody reads `main`; only another component is worth a word.
  const part = component === "main" ? "" : ` ${component}`;
  const name = `Debian ${suite}${part} ${binary.replace(/^binary-/, "")} index`;
  if (byHash) {
    try {
      const hashed = `dists/${suite}/${folder}/by-hash/SHA256/${sha256}`;
      return await mirror.fetchFile({ path: hashed, name, sha256, size }, { signal, onProgress });
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return mirror.fetchFile({ path: `dists/${suite}/${path}`, name, sha256, size }, { signal, onProgress });
}

/** Failures of one mirror that another may not have. */
const NEXT_MIRROR: readonly string[] = ["DOWNLOAD_FAILED", "FILE_NOT_FOUND", "NETWORK_UNREACHABLE"];

/** Whether the next mirror is to be tried after `error`. What was downloaded and is wrong never is. */
export function mayTryNext(error: unknown): error is ToolingError {
  return error instanceof ToolingError && NEXT_MIRROR.includes(error.code);
}

function isMissing(error: unknown): boolean {
  return error instanceof ToolingError && error.code === "FILE_NOT_FOUND";
}
