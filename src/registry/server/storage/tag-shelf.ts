// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Digest, isDigest, isTag } from "../../../oci/index.ts";
import { listFolder, publishFile, readFileIfAny, removeFile } from "./durable-file.ts";
import type { StorageFolder } from "./storage-folder.ts";

/** Tags of all repositories, one small file each. */
export class TagShelf {
  readonly #folder: StorageFolder;

  constructor(folder: StorageFolder) {
    this.#folder = folder;
  }

  /** @returns `undefined` when there is no such tag, or its file is damaged */
  async resolve(repository: string, tag: string): Promise<Digest | undefined> {
    return parseTagFile(await readFileIfAny(this.#path(repository, tag)))?.digest;
  }

  async set(repository: string, tag: string, digest: Digest): Promise<void> {
    const content = JSON.stringify({ tag, digest });
    await publishFile(this.#path(repository, tag), content, { temporary: this.#folder.temporary });
  }

  /** @returns `false` when there was no such tag */
  async remove(repository: string, tag: string): Promise<boolean> {
    return removeFile(this.#path(repository, tag));
  }

  /** Tags in ASCII order. */
  async list(repository: string): Promise<string[]> {
    const tags: string[] = [];
    for (const name of await listFolder(this.#folder.tags(repository))) {
      const tag = name.includes("~") ? await this.#readTag(repository, name) : name;
      if (tag !== undefined && isTag(tag)) tags.push(tag);
    }
    return tags.toSorted(compareAscii);
  }

  /** Tags that stand for `digest`. */
  async listOf(repository: string, digest: Digest): Promise<string[]> {
    const tags: string[] = [];
    for (const tag of await this.list(repository)) {
      if ((await this.resolve(repository, tag)) === digest) tags.push(tag);
    }
    return tags;
  }

  #path(repository: string, tag: string): string {
    return join(this.#folder.tags(repository), formatFileName(tag));
  }

  async #readTag(repository: string, name: string): Promise<string | undefined> {
    return parseTagFile(await readFileIfAny(join(this.#folder.tags(repository), name)))?.tag;
  }
}

/** Tags that differ in case only need different files, also where the file system does not tell case apart. */
function formatFileName(tag: string): string {
  if (!/[A-Z]/.test(tag)) return tag;
  return `${tag.toLowerCase()}~${createHash("sha256").update(tag).digest("hex").slice(0, 16)}`;
}

function parseTagFile(content: Buffer | undefined): { tag: string; digest: Digest } | undefined {
  if (content === undefined) return undefined;
  try {
    const { tag, digest } = JSON.parse(content.toString("utf8")) as { tag?: unknown; digest?: unknown };
    if (typeof tag === "string" && typeof digest === "string" && isDigest(digest)) return { tag, digest };
  } catch {
    // A damaged file is a tag that is not there: the next push of the tag replaces it.
  }
  return undefined;
}

function compareAscii(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
