// SPDX-License-Identifier: Apache-2.0
import type { LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";

/**
 * One paragraph of a control file: field names as written, values without the leading blank; continuation lines
 * keep their first blank and are joined by newlines (deb822(5)).
 */
export type ControlParagraph = Readonly<Record<string, string>>;

const MAXIMUM_PARAGRAPH_BYTES = 16 * 1024 * 1024;
const NEWLINE = 0x0a;
const COLON = 0x3a;

/**
 * Parses a small control file into its paragraphs. Comment lines (`#`) are passed over.
 *
 * @throws {ToolingError} `DEBIAN_INDEX_INVALID` for a line that is neither, or a field given twice.
 */
export function parseControl(text: string): readonly ControlParagraph[] {
  const paragraphs: ControlParagraph[] = [];
  let fields = new Map<string, string>();
  let last: string | undefined;
  const finish = (): void => {
    if (fields.size > 0) paragraphs.push(Object.fromEntries(fields));
    fields = new Map();
    last = undefined;
  };
  for (const line of text.split("\n").map((line) => line.replace(/[\t\r ]+$/u, ""))) {
    if (line === "") finish();
    else if (line.startsWith("#")) continue;
    else if (line.startsWith(" ") || line.startsWith("\t")) {
      if (last === undefined) throw invalidLine(line);
      fields.set(last, `${fields.get(last) ?? ""}\n${line}`);
    } else {
      last = addField(fields, line);
    }
  }
  finish();
  return paragraphs;
}

/** The inverse of {@link parseControl} for one paragraph, fields in their given order, without a blank line. */
export function formatControl(paragraph: ControlParagraph): string {
  return Object.entries(paragraph)
    .map(([name, value]) =>
      value.startsWith("\n") || value === "" ? `${name}:${value}\n` : `${name}: ${value}\n`,
    )
    .join("");
}

/** Adds the field of `line` and gives its name back. */
function addField(fields: Map<string, string>, line: string): string {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(colon, 0));
  if (!/^[!"$-,./-9;-~][!-9;-~]*$/u.test(name)) throw invalidLine(line);
  if (fields.has(name)) {
    throw new ToolingError("DEBIAN_INDEX_INVALID", `field "${name}" is given twice in one paragraph`);
  }
  fields.set(name, line.slice(colon + 1).trim());
  return name;
}

/**
 * Reads a large control file (a Packages index) paragraph by paragraph, keeping only the fields named in `wanted`
 * and of those only the first line. Values are strings of their own, so no chunk of the file stays in memory.
 *
 * @throws {ToolingError} `DEBIAN_INDEX_INVALID`
 */
export async function* readControlFields(
  content: LentBytes,
  wanted: readonly string[],
): AsyncGenerator<ReadonlyMap<string, string>> {
  const names = groupByFirstByte(wanted);
  let carry = Buffer.alloc(0);
  for await (const chunk of content) {
    const bytes = carry.byteLength === 0 ? asBuffer(chunk) : Buffer.concat([carry, chunk]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf("\n\n", start, "latin1");
      if (end < 0) break;
      const fields = scanParagraph(bytes, start, end, names);
      if (fields.size > 0) yield fields;
      start = end + 2;
    }
    carry = Buffer.from(bytes.subarray(start));
    if (carry.byteLength > MAXIMUM_PARAGRAPH_BYTES) {
      throw new ToolingError(
        "DEBIAN_INDEX_INVALID",
        "a paragraph of the package index is larger than 16 MiB",
      );
    }
  }
  const fields = scanParagraph(carry, 0, carry.byteLength, names);
  if (fields.size > 0) yield fields;
}

type NamesByFirstByte = readonly (readonly { readonly name: string; readonly bytes: Buffer }[] | undefined)[];

function groupByFirstByte(wanted: readonly string[]): NamesByFirstByte {
  const groups: { name: string; bytes: Buffer }[][] = [];
  for (const name of wanted) {
    const bytes = Buffer.from(name, "latin1");
    (groups[bytes[0] ?? 0] ??= []).push({ name, bytes });
  }
  return groups;
}

function scanParagraph(
  bytes: Buffer,
  from: number,
  to: number,
  names: NamesByFirstByte,
): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let start = from;
  while (start < to) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 || newline > to ? to : newline;
    const candidates = names[bytes[start] ?? 0];
    if (candidates !== undefined) {
      for (const { name, bytes: wanted } of candidates) {
        if (!isFieldAt(bytes, start, wanted)) continue;
        fields.set(name, bytes.toString("utf8", start + wanted.byteLength + 1, end).trim());
        break;
      }
    }
    start = end + 1;
  }
  return fields;
}

function isFieldAt(bytes: Buffer, start: number, name: Buffer): boolean {
  if (bytes[start + name.byteLength] !== COLON) return false;
  for (let index = 1; index < name.byteLength; index += 1) {
    if (bytes[start + index] !== name[index]) return false;
  }
  return true;
}

function asBuffer(chunk: Uint8Array): Buffer {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function invalidLine(line: string): ToolingError {
  return new ToolingError(
    "DEBIAN_INDEX_INVALID",
    `"${line.slice(0, 60)}" is neither a field nor the continuation of one`,
  );
}
