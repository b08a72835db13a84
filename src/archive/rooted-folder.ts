// SPDX-License-Identifier: Apache-2.0
import { chmod, lstat, mkdir, readdir, readlink, rm } from "node:fs/promises";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { isSystemError, ToolingError } from "../core/error.ts";
import { parentPath } from "./entry-path.ts";

const MOST_LINKS = 255;

/** A folder in which paths are resolved without ever leaving it, whatever links it holds. */
export class RootedFolder {
  readonly #root: string;
  readonly #followsLinks: boolean;
  /** Directories that are known to be real ones. */
  readonly #known = new Map<string, string>();

  /**
   * @param root Its own path may hold links.
   * @param options `followsLinks`: whether a link to a directory may stand for it, as in a root file system, where
   * `/bin` is one; the link's text is then resolved inside. Otherwise such a path is refused.
   */
  constructor(root: string, { followsLinks }: { readonly followsLinks: boolean }) {
    this.#root = root;
    this.#followsLinks = followsLinks;
  }

  /**
   * The path on disk of a member, its parent directories made where they are missing.
   *
   * @throws {ToolingError} `ARCHIVE_UNSAFE`
   */
  async place(path: string): Promise<string> {
    const parent = await this.#resolveDirectory(parentPath(path));
    return join(this.#root, parent, path.slice(path.lastIndexOf("/") + 1));
  }

  /** Forgets what it knows, after a directory has gone. */
  forget(): void {
    this.#known.clear();
  }

  async #resolveDirectory(path: string): Promise<string> {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const resolved = await this.#walk(path);
    this.#known.set(path, resolved);
    return resolved;
  }

  async #walk(path: string): Promise<string> {
    const todo = path.split("/");
    const done: string[] = [];
    let links = 0;
    for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
      if (part === "" || part === ".") continue;
      if (part === "..") {
        done.pop();
        continue;
      }
      const at = join(this.#root, ...done, part);
      const found = await lstatIfThere(at);
      if (found === undefined) await mkdir(at, { mode: 0o755 });
      if (found === undefined || found.isDirectory()) {
        done.push(part);
        continue;
      }
      links += 1;
      if (!found.isSymbolicLink() || !this.#followsLinks || links > MOST_LINKS)
        throw notADirectory(path, part);
      const target = await readlink(at);
      if (target.startsWith("/")) done.length = 0;
      todo.unshift(...target.split("/"));
    }
    return done.join("/");
  }
}

/** Without following a link. */
export async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Removes a file, link or whole directory; a directory that denies it is opened first. Links are not followed. */
export async function removeTree(path: string): Promise<void> {
  const found = await lstatIfThere(path);
  if (found?.isDirectory() === true) {
    if ((found.mode & 0o700) !== 0o700) await chmod(path, 0o700);
    for (const name of await readdir(path)) await removeTree(join(path, name));
  }
  await rm(path, { recursive: true, force: true });
}

function notADirectory(path: string, part: string): ToolingError {
  return new ToolingError(
    "ARCHIVE_UNSAFE",
    `archive goes through "${part}" of "${path}", which is no directory`,
    {
      hint: "Do not use this archive; tell whoever made it.",
    },
  );
}
