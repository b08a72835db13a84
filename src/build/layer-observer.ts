// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import type { ArchiveEntry, FileEntry } from "../archive/index.ts";
import type { LendingGenerator } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { architectureOf, type Platform } from "../core/platform.ts";
import { type ElfSummary, type Libc, runsOn } from "./elf.ts";
import { ElfProbe } from "./elf-probe.ts";
import type { CapturedFile, LayerContent } from "./layer-record.ts";
import { tapStream } from "./tap-stream.ts";

/** How {@link LayerObserver} looks at a layer. */
export interface LayerObserverOptions {
  readonly platform: Platform;
  /** Who brings a path, for errors: `tool "helm"`. */
  readonly ownerOf: (path: string) => string;
  /** Says of which files the content is kept. Absent: of none. */
  readonly capture?: ((path: string) => boolean) | undefined;
  /** `false` notes kinds only, without digests. Absent: `true`. */
  readonly fingerprints?: boolean | undefined;
}

/**
 * Looks at entries while they are written into a tar, so that nothing is read twice: digests of files, the
 * CPU and libc of every ELF file, and the content of a few.
 */
export class LayerObserver {
  readonly #options: LayerObserverOptions;
  readonly #files = new Map<string, string>();
  readonly #libcs = new Map<Libc, string>();
  readonly #captured = new Map<string, CapturedFile>();

  constructor(options: LayerObserverOptions) {
    this.#options = options;
  }

  /**
   * The same entries; opening one is what is observed.
   *
   * @throws {ToolingError} `BINARY_WRONG_PLATFORM` from the content of a file, at its end
   */
  observe(entries: readonly ArchiveEntry[]): readonly ArchiveEntry[] {
    return entries.map((entry) => {
      if (entry.type === "file") return { ...entry, open: () => this.#watch(entry) };
      if (entry.type === "symlink") this.#note(entry.path, "link", entry.target);
      if (entry.type === "hardlink") this.#note(entry.path, "same", entry.target);
      return entry;
    });
  }

  /** What was seen. Complete when all entries have been read. Names of one file hold what that file holds. */
  finish(): LayerContent {
    const files = [...this.#files].map(([path, content]) => {
      const target = /^same:(.+)$/.exec(content)?.[1];
      return [path, (target === undefined ? undefined : this.#files.get(target)) ?? content] as const;
    });
    return {
      files: Object.fromEntries(files),
      libcs: Object.fromEntries(this.#libcs),
      captured: Object.fromEntries(this.#captured),
    };
  }

  async *#watch(entry: FileEntry): LendingGenerator {
    const isHashed = this.#options.fingerprints !== false && entry.sha256 === undefined;
    const hash = isHashed ? createHash("sha256") : undefined;
    const probe = new ElfProbe(() => entry.open());
    const kept: Uint8Array[] | undefined = this.#options.capture?.(entry.path) === true ? [] : undefined;
    yield* tapStream(entry.open(), (chunk) => {
      hash?.update(chunk);
      probe.update(chunk);
      kept?.push(new Uint8Array(chunk));
    });
    this.#note(entry.path, "file", entry.sha256 ?? hash?.digest("hex"));
    if (kept !== undefined) this.#capture(entry, kept);
    const elf = await probe.finish();
    if (elf !== undefined) this.#check(entry.path, elf);
  }

  #note(path: string, kind: string, what: string | undefined): void {
    const isBare = what === undefined || this.#options.fingerprints === false;
    this.#files.set(path, isBare ? kind : `${kind}:${what}`);
  }

  #capture({ path, mode, uid, gid }: FileEntry, chunks: readonly Uint8Array[]): void {
    this.#captured.set(path, { mode, uid, gid, text: Buffer.concat(chunks).toString("latin1") });
  }

  #check(path: string, elf: ElfSummary): void {
    const { platform, ownerOf } = this.#options;
    if (!runsOn(elf, architectureOf(platform))) {
      const found = elf.linux ? elf.machine : `${elf.machine}, and not for Linux`;
      throw new ToolingError(
        "BINARY_WRONG_PLATFORM",
        `${ownerOf(path)} has "${path}" for ${platform}, but that file is built for ${found}`,
        { hint: `Check where its source gets the file for "${platform}".` },
      );
    }
    if (!this.#libcs.has(elf.libc)) this.#libcs.set(elf.libc, path);
  }
}
