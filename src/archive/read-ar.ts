// SPDX-License-Identifier: Apache-2.0
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { ByteReader } from "./byte-reader.ts";

/** One member of an ar archive that is being read. */
export interface ArMember {
  readonly name: string;
  /** Bytes of `content`. */
  readonly size: number;
  /** To be read once, before the next member is asked for; what is left unread is skipped. */
  readonly content: LentBytes;
}

const MAGIC = "!<arch>\n";
const HEADER_SIZE = 60;

/**
 * Reads the common ar format as Debian packages use it (deb(5)): short names, no symbol table.
 *
 * @throws {ToolingError} `ARCHIVE_INVALID`
 */
export async function* readAr(content: LentBytes): AsyncGenerator<ArMember, void, undefined> {
  const reader = new ByteReader(content);
  try {
    if (toText(await reader.read(MAGIC.length)) !== MAGIC) throw invalidAr("does not start as one");
    for (;;) {
      const header = await reader.read(HEADER_SIZE);
      if (header.byteLength === 0) return;
      const { name, size } = parseHeader(header);
      const body = new ArContent(reader, size);
      yield { name, size, content: body };
      await body.skip();
      if (size % 2 === 1 && (await reader.read(1)).byteLength < 1) throw invalidAr("is cut short");
    }
  } finally {
    await reader.close();
  }
}

function parseHeader(header: Uint8Array): { name: string; size: number } {
  if (header.byteLength < HEADER_SIZE) throw invalidAr("is cut short");
  const text = toText(header);
  const name = text.slice(0, 16).trimEnd().replace(/\/$/, "");
  const size = text.slice(48, 58).trimEnd();
  if (!text.endsWith("`\n") || !/^[0-9]{1,10}$/.test(size)) throw invalidAr("has a malformed header");
  if (!/^[A-Za-z0-9._+-]+$/.test(name)) throw invalidAr(`has a member with the name "${name}"`);
  return { name, size: Number(size) };
}

class ArContent implements AsyncIterable<Uint8Array> {
  readonly #reader: ByteReader;
  #left: number;

  constructor(reader: ByteReader, size: number) {
    this.#reader = reader;
    this.#left = size;
  }

  async *[Symbol.asyncIterator](): LendingGenerator {
    while (this.#left > 0) {
      const piece = await this.#reader.readSome(this.#left);
      if (piece === undefined) throw invalidAr("is cut short");
      this.#left -= piece.byteLength;
      yield piece;
    }
  }

  async skip(): Promise<void> {
    const rest = this[Symbol.asyncIterator]();
    while ((await rest.next()).done !== true);
  }
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function invalidAr(what: string): ToolingError {
  return new ToolingError("ARCHIVE_INVALID", `ar archive ${what}`, {
    hint: "Download the archive again; if it stays the same, tell whoever made it.",
  });
}
