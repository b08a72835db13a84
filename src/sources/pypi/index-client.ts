// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { ToolingError } from "../../core/error.ts";
import type { FetchedFile, FetchFile } from "../fetch-file.ts";
import type { SourceContext } from "../tool-source.ts";
import { type IndexedFile, parseIndexPage } from "./index-page.ts";

/** What reading an index needs of a context. */
export type IndexContext = Pick<SourceContext, "fetchFile" | "mirrors" | "onProgress" | "signal">;

/** A wheel by coordinates that hold in every index. */
export interface WheelFile {
  readonly project: string;
  readonly name: string;
  readonly sha256: string;
  /** Absent: not known. */
  readonly size?: number | undefined;
}

const ACCEPT =
  "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
const MOST_PAGE_BYTES = 128 * 1024 * 1024;
const MOST_METADATA_BYTES = 16 * 1024 * 1024;

/** Pages of this run: both platforms and every tool ask for the same projects. */
const pages = new WeakMap<FetchFile, Map<string, Promise<readonly IndexedFile[] | undefined>>>();

/**
 * The files of a project, out of the first index that has it: a project of one's own index is never looked for
 * elsewhere too. Absent: no index has it.
 *
 * @throws {ToolingError} `MIRROR_NOT_CONFIGURED`, `JSON_INVALID`, and what the fetcher throws
 */
export async function readIndexedFiles(
  project: string,
  context: IndexContext,
): Promise<readonly IndexedFile[] | undefined> {
  const known =
    pages.get(context.fetchFile) ?? new Map<string, Promise<readonly IndexedFile[] | undefined>>();
  pages.set(context.fetchFile, known);
  const page = known.get(project) ?? fetchPage(project, context);
  known.set(project, page);
  // What failed once may do better the next time.
  page.catch(() => known.delete(project));
  return await page;
}

async function fetchPage(
  project: string,
  context: IndexContext,
): Promise<readonly IndexedFile[] | undefined> {
  for (const index of await context.mirrors.addressesOf("pypi")) {
    const url = `${index}/${project}/`;
    try {
      const name = `${project} in the Python index`;
      const request = { url, name, maxSize: MOST_PAGE_BYTES, acceptHtml: true, accept: ACCEPT };
      const { path } = await context.fetchFile(request, context);
      return parseIndexPage(await readFile(path, "utf8"), url).map((file) => withCredentials(file, url));
    } catch (error) {
      if (!(error instanceof ToolingError) || error.code !== "FILE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

/** Credentials that stand in an index's address hold for the files beside it, and for no other host's. */
function withCredentials(file: IndexedFile, index: string): IndexedFile {
  const [from, to] = [new URL(index), new URL(file.url)];
  if (from.origin !== to.origin || to.username !== "") return file;
  to.username = from.username;
  to.password = from.password;
  return { ...file, url: to.href };
}

/**
 * The METADATA file that an index offers beside a wheel. Absent: it offers none.
 *
 * @throws {ToolingError} what the fetcher throws
 */
export async function fetchOfferedMetadata(
  { name, url, metadataSha256: sha256 }: IndexedFile,
  context: IndexContext,
): Promise<string | undefined> {
  if (sha256 === undefined) return undefined;
  const address = new URL(url);
  address.pathname += ".metadata";
  const request = { url: address.href, name: `${name}.metadata`, sha256, maxSize: MOST_METADATA_BYTES };
  return await readFile((await context.fetchFile(request, context)).path, "utf8");
}

/**
 * A wheel, out of the cache or from wherever the index has it now.
 *
 * @throws {ToolingError} `FILE_NOT_FOUND` when the index has it no more, and what the fetcher throws
 */
export async function fetchWheel(
  { project, name, sha256, size }: WheelFile,
  context: IndexContext,
): Promise<FetchedFile> {
  const locate = async (): Promise<string> => {
    const files = (await readIndexedFiles(project, context)) ?? [];
    const file = files.find((each) => each.name === name && each.sha256 === sha256);
    if (file !== undefined) return file.url;
    const isOther = files.some((each) => each.name === name);
    throw new ToolingError(
      "FILE_NOT_FOUND",
      isOther
        ? `"${name}" has another sha256 in the Python index now`
        : `"${name}" has left the Python index`,
      {
        hint: isOther
          ? "Find out why it was changed before you lock it again."
          : 'Run "toolbox update" to lock what the index has now, or name an index that keeps it.',
      },
    );
  };
  return await context.fetchFile({ url: name, locate, name, sha256, size }, context);
}
