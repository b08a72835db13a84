// SPDX-License-Identifier: Apache-2.0
import { invalidTar } from "./invalid-tar.ts";

/** PAX records (POSIX.1-2001 pax, "Extended Header"): `LENGTH KEY=VALUE\n`, keys in code-unit order. */
export function formatPaxRecords(records: Readonly<Record<string, string>>): Uint8Array {
  const lines = Object.keys(records)
    .sort()
    .map((key) => formatRecord(key, records[key] ?? ""));
  return Buffer.concat(lines);
}

function formatRecord(key: string, value: string): Buffer {
  const rest = Buffer.from(` ${key}=${value}\n`);
  let length = rest.byteLength + 1;
  // The length counts its own digits, so it can take two rounds to settle.
  while (String(length).length + rest.byteLength !== length) length = String(length).length + rest.byteLength;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** @throws {ToolingError} `ARCHIVE_INVALID` */
export function parsePaxRecords(bytes: Uint8Array): Record<string, string> {
  const records: Record<string, string> = Object.create(null) as Record<string, string>;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let start = 0;
  while (start < buffer.byteLength) {
    const space = buffer.indexOf(0x20, start);
    const digits = space < 0 ? "" : buffer.toString("latin1", start, space);
    const end = start + Number(digits);
    if (!/^[1-9][0-9]{0,8}$/.test(digits) || end > buffer.byteLength || buffer[end - 1] !== 0x0a)
      throw invalidTar("holds a malformed extended header");
    const equals = buffer.indexOf(0x3d, space);
    if (equals <= space + 1 || equals >= end) throw invalidTar("holds a malformed extended header");
    records[buffer.toString("utf8", space + 1, equals)] = buffer.toString("utf8", equals + 1, end - 1);
    start = end;
  }
  return records;
}
