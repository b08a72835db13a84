// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import type { LockedModule } from "../../catalog/index.ts";
import { ToolingError } from "../../core/error.ts";
import type { FetchedFile, FetchFile } from "../fetch-file.ts";
import type { NpmSettings } from "../mirrors.ts";
import type { SourceContext } from "../tool-source.ts";
import { type Packument, parsePackument } from "./packument.ts";
import { authorizationFor, registriesOf } from "./registry-settings.ts";

/** What reading a registry needs of a context. */
export type RegistryContext = Pick<SourceContext, "fetchFile" | "mirrors" | "onProgress" | "signal">;

/** An archive by coordinates that hold in every registry. */
export type ModuleArchive = Pick<LockedModule, "name" | "version" | "integrity"> & {
  /** Absent: not known. */
  readonly size?: number | undefined;
};

const MOST_DOCUMENT_BYTES = 256 * 1024 * 1024;
const MOST_ARCHIVE_BYTES = 512 * 1024 * 1024;

/** Documents of this run: both platforms and every tool ask for the same packages. */
const documents = new WeakMap<FetchFile, Map<string, Promise<Packument | undefined>>>();

/**
 * All versions of a package, out of the first registry that has it. Absent: none has.
 *
 * @throws {ToolingError} `MIRROR_NOT_CONFIGURED`, `JSON_INVALID`, and what the fetcher throws
 */
export async function readPackument(name: string, context: RegistryContext): Promise<Packument | undefined> {
  const known = documents.get(context.fetchFile) ?? new Map<string, Promise<Packument | undefined>>();
  documents.set(context.fetchFile, known);
  const document = known.get(name) ?? fetchPackument(name, context);
  known.set(name, document);
  // What failed once may do better the next time.
  document.catch(() => known.delete(name));
  return await document;
}

async function fetchPackument(name: string, context: RegistryContext): Promise<Packument | undefined> {
  const settings = await context.mirrors.npmSettings();
  for (const registry of await listRegistries(name, context)) {
    const request = {
      url: `${registry}/${name.replace("/", "%2f")}`,
      name: `${name} in the npm registry`,
      maxSize: MOST_DOCUMENT_BYTES,
      // The shorter document lacks the C library that packages are made for.
      accept: "application/json",
      authorize: (address: string) => authorizationFor(address, settings),
    };
    try {
      const { path } = await context.fetchFile(request, context);
      const packument = parsePackument(name, await readFile(path, "utf8"));
      return { ...packument, versions: packument.versions.map((each) => withCredentials(each, registry)) };
    } catch (error) {
      if (!(error instanceof ToolingError) || error.code !== "FILE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

async function listRegistries(name: string, { mirrors }: RegistryContext): Promise<readonly string[]> {
  const own = registriesOf(name, [], await mirrors.npmSettings());
  return own.length > 0 ? own : await mirrors.addressesOf("npm");
}

type Manifest = Packument["versions"][number];

/** Credentials that stand in a registry's address hold for its own archives, and for no other host's. */
function withCredentials(manifest: Manifest, registry: string): Manifest {
  const from = new URL(registry);
  const { tarball } = manifest;
  if (tarball === undefined || from.username === "" || !URL.canParse(tarball)) return manifest;
  const to = new URL(tarball);
  if (from.origin !== to.origin) return manifest;
  to.username = from.username;
  to.password = from.password;
  return { ...manifest, tarball: to.href };
}

/**
 * The archive of a package, out of the cache or from wherever the registry has it now.
 *
 * @throws {ToolingError} `FILE_NOT_FOUND` when the registry has it no more, and what the fetcher throws
 */
export async function fetchModule(archive: ModuleArchive, context: RegistryContext): Promise<FetchedFile> {
  const { name, version, integrity, size } = archive;
  const title = `${name} ${version}`;
  let settings: NpmSettings = {};
  const locate = async (): Promise<string> => {
    // Only what is not in the cache needs them.
    settings = await context.mirrors.npmSettings();
    const packument = await readPackument(name, context);
    const manifest = packument?.versions.find((each) => each.version === version);
    if (manifest?.tarball !== undefined) return manifest.tarball;
    throw new ToolingError("FILE_NOT_FOUND", `"${title}" has left the npm registry`, {
      hint: 'Run "toolbox update" to lock what the registry has now, or name a registry that keeps it.',
    });
  };
  const authorize = (address: string): string | undefined => authorizationFor(address, settings);
  const request = {
    url: title,
    name: title,
    locate,
    integrity,
    size,
    authorize,
    maxSize: MOST_ARCHIVE_BYTES,
  };
  return await context.fetchFile(request, context);
}
