// SPDX-License-Identifier: Apache-2.0
import type { TarMember } from "../archive/index.ts";
import { collectBytes } from "../core/byte-stream.ts";
import type { CapturedFile, LayerContent } from "./layer-record.ts";

const CAPTURE_LIMIT = 32 << 20;
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
/** What is left to see after layers lie on each other, whiteouts applied (image-spec v1.1.1, layer.md#whiteouts). */
export class TreeView {
  readonly #capture: (path: string) => boolean;
  readonly #files = new Map<string, string>();
  readonly #captured = new Map<string, CapturedFile>();
  #ofThisLayer = new Set<string>();

  /** @param capture Says of which files the content is kept. */
  constructor(capture: (path: string) => boolean) {
    this.#capture = capture;
  }

  /** Whiteouts hide what lies below, never what their own layer brings. */
  startLayer(): void {
    this.#ofThisLayer = new Set();
  }

  async add(member: TarMember): Promise<void> {
    const { path, type } = member;
    const slash = path.lastIndexOf("/") + 1;
    const [folder, name] = [path.slice(0, slash), path.slice(slash)];
    if (name === OPAQUE) this.#hide(folder, { itself: false });
    else if (name.startsWith(WHITEOUT))
      this.#hide(`${folder}${name.slice(WHITEOUT.length)}`, { itself: true });
    else if (type === "directory") this.#forget(path);
    else await this.#addFile(member);
  }

  finish(): LayerContent {
    return {
      files: Object.fromEntries(this.#files),
      captured: Object.fromEntries(this.#captured),
      libcs: {},
    };
  }

  async #addFile(member: TarMember): Promise<void> {
    const { path, type, mode, uid, gid } = member;
    this.#forget(path);
    this.#files.set(path, type === "symlink" ? "link" : "file");
    this.#ofThisLayer.add(path);
    if (type !== "file" || !this.#capture(path)) return;
    const bytes = await collectBytes(member.content, { limit: CAPTURE_LIMIT });
    this.#captured.set(path, { mode, uid, gid, text: Buffer.from(bytes).toString("latin1") });
  }

  #hide(path: string, { itself }: { readonly itself: boolean }): void {
    const prefix = itself ? `${path}/` : path;
    for (const known of this.#files.keys()) {
      const isBelow = known.startsWith(prefix) || (itself && known === path);
      if (isBelow && !this.#ofThisLayer.has(known)) this.#forget(known);
    }
  }

  #forget(path: string): void {
    this.#files.delete(path);
    this.#captured.delete(path);
  }
}
