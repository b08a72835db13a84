// SPDX-License-Identifier: Apache-2.0
import { constants } from "node:fs";
import { chmod, lchown, link, mkdir, open, readdir, symlink, utimes } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { ToolingError } from "../core/error.ts";
import type { ExtractTarOptions } from "./extract-tar.ts";
import type { TarMember } from "./read-tar.ts";
import { lstatIfThere, removeTree, RootedFolder } from "./rooted-folder.ts";

/** Writes members of an archive below a folder, one after the other. */
export class TreeWriter {
  /** Members written so far. */
  count = 0;
  readonly #root: string;
  readonly #options: ExtractTarOptions;
  readonly #folder: RootedFolder;
  /** Paths on disk that came from this archive. */
  readonly #written = new Set<string>();
  /** Directories on disk that hold some of those. */
  readonly #filled = new Set<string>();
  /** Directories whose mode and time are set at the end, so that they can be filled and stay as they should be. */
  readonly #directories = new Map<string, TarMember>();

  constructor(root: string, options: ExtractTarOptions) {
    this.#root = root;
    this.#options = options;
    this.#folder = new RootedFolder(root, { followsLinks: options.layer === true });
  }

  async write(member: TarMember): Promise<void> {
    const path = await this.#folder.place(member.path);
    switch (member.type) {
      case "directory":
        await this.#writeDirectory(member, path);
        break;
      case "file":
        await this.#writeFile(member, path);
        break;
      case "symlink":
        await this.#writeSymlink(member, path);
        break;
      case "hardlink":
        await this.#writeHardlink(member, path);
        break;
      case "character-device":
      case "block-device":
      case "fifo":
        this.#refuseDevice(member);
        return;
    }
    this.#noteWritten(path);
    this.count += 1;
  }

  /** Sets modes and times of directories, the deepest first. */
  async finish(): Promise<void> {
    for (const [path, member] of [...this.#directories].toReversed()) {
      await this.#setOwner(path, member);
      await chmod(path, this.#directoryMode(member));
      await utimes(path, member.mtime, member.mtime);
    }
  }

  /** Removes `path`, unless this archive has written it. */
  async removeLower(path: string): Promise<void> {
    const place = await this.#folder.place(path);
    if (!this.#written.has(place) && !this.#filled.has(place)) await this.#remove(place);
    else if ((await lstatIfThere(place))?.isDirectory() === true) await this.removeBelow(path);
  }

  /** Removes all below the directory `path` that this archive has not written. */
  async removeBelow(path: string): Promise<void> {
    const folder = path === "" ? this.#root : dirname(await this.#folder.place(`${path}/x`));
    for (const name of await readdir(folder)) {
      await this.removeLower(path === "" ? name : `${path}/${name}`);
    }
  }

  #noteWritten(path: string): void {
    this.#written.add(path);
    for (
      let parent = dirname(path);
      !this.#filled.has(parent) && parent !== this.#root;
      parent = dirname(parent)
    ) {
      this.#filled.add(parent);
    }
  }

  async #remove(place: string): Promise<void> {
    const found = await lstatIfThere(place);
    if (found === undefined) return;
    await removeTree(place);
    if (found.isFile()) return;
    this.#folder.forget();
    for (const path of this.#directories.keys()) {
      if (path === place || path.startsWith(`${place}${sep}`)) this.#directories.delete(path);
    }
  }

  async #writeDirectory(member: TarMember, path: string): Promise<void> {
    const found = await lstatIfThere(path);
    if (found?.isDirectory() !== true) {
      await this.#remove(path);
      await mkdir(path, { mode: 0o700 });
    } else if ((found.mode & 0o700) !== 0o700) await chmod(path, 0o700);
    this.#directories.delete(path);
    this.#directories.set(path, member);
  }

  async #writeFile(member: TarMember, path: string): Promise<void> {
    await this.#remove(path);
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);
    const file = await open(path, flags, 0o600);
    try {
      for await (const chunk of member.content) await file.writeFile(chunk);
      // The owner first: changing it takes setuid bits away.
      if (this.#options.owner === "keep") await file.chown(member.uid, member.gid);
      await file.chmod(this.#modeOf(member));
      await file.utimes(member.mtime, member.mtime);
    } finally {
      await file.close();
    }
  }

  async #writeSymlink(member: TarMember, path: string): Promise<void> {
    const target = member.target ?? "";
    if (this.#options.layer !== true) checkInside(this.#root, path, target, member.path);
    await this.#remove(path);
    await symlink(target, path);
    await this.#setOwner(path, member);
  }

  async #writeHardlink(member: TarMember, path: string): Promise<void> {
    const target = await this.#folder.place(member.target ?? "");
    const isFromHere = this.#written.has(target) || this.#options.layer === true;
    const found = await lstatIfThere(target);
    const isLinkable =
      found?.isFile() === true || (found?.isSymbolicLink() === true && this.#options.layer === true);
    if (target === path || !isFromHere || !isLinkable) {
      throw new ToolingError(
        "ARCHIVE_UNSAFE",
        `archive member "${member.path}" is a hard link to "${member.target}", which is no file of this archive`,
        { hint: "Do not use this archive; tell whoever made it." },
      );
    }
    await this.#remove(path);
    await link(target, path);
  }

  #refuseDevice({ path, type }: TarMember): void {
    if (this.#options.layer !== true) {
      throw new ToolingError("ARCHIVE_UNSAFE", `archive member "${path}" is a ${type}`, {
        hint: "Do not use this archive; tell whoever made it.",
      });
    }
    this.#options.onSkip?.(path, `it is a ${type}`);
  }

  #modeOf({ mode }: TarMember): number {
    const special = this.#options.allowSetuid === true ? 0 : 0o6000;
    const others = this.#options.layer === true ? 0 : 0o1002;
    return mode & ~special & ~others;
  }

  /** A caller who is not root must be able to fill and to remove what is his. */
  #directoryMode(member: TarMember): number {
    const mode = this.#modeOf(member);
    return this.#options.owner === "keep" ? mode : mode | 0o700;
  }

  async #setOwner(path: string, { uid, gid }: TarMember): Promise<void> {
    if (this.#options.owner === "keep") await lchown(path, uid, gid);
  }
}

function checkInside(root: string, path: string, target: string, name: string): void {
  const parts = relative(root, join(dirname(path), target)).split(sep);
  if (!target.startsWith("/") && !target.includes("\\") && parts[0] !== "..") return;
  throw new ToolingError(
    "ARCHIVE_UNSAFE",
    `archive member "${name}" links to "${target}", outside of the archive`,
    {
      hint: "Do not use this archive; tell whoever made it.",
    },
  );
}
