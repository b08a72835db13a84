// SPDX-License-Identifier: Apache-2.0
import { createHash, X509Certificate } from "node:crypto";

interface DerValue {
  readonly tag: number;
  /** Header and content. */
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const UTF8_STRING = 0x0c;
const VERSION = 0xa0;

/** How the bytes of a string type are read. Types not named are left as they are. */
const STRINGS: Readonly<Record<number, "utf8" | "latin1" | "utf16" | "utf32">> = {
  [UTF8_STRING]: "utf8",
  0x13: "latin1",
  0x14: "latin1",
  0x16: "latin1",
  0x1a: "latin1",
  0x1c: "utf32",
  0x1e: "utf16",
};

/**
 * The eight hex digits by which OpenSSL looks a CA certificate up in a folder (openssl-rehash(1)): SHA-1 over the
 * subject in a form where case, spaces and string types do not matter.
 *
 * @throws {Error} when `pem` is not a certificate.
 */
export function hashCertificateSubject(pem: string): string {
  const subject = readSubject(new X509Certificate(pem).raw);
  const canonical = readValues(subject.content).map((name) =>
    encode(SET, Buffer.concat(readValues(name.content).map(canonicalizeAttribute))),
  );
  const digest = createHash("sha1").update(Buffer.concat(canonical)).digest();
  return digest.readUInt32LE(0).toString(16).padStart(8, "0");
}

/** The sixth member of tbsCertificate, the fifth where the optional version is left out (RFC 5280, 4.1). */
function readSubject(certificate: Uint8Array): DerValue {
  const [outer] = readValues(certificate);
  const [signed] = readValues(outer?.content ?? new Uint8Array());
  const members = readValues(signed?.content ?? new Uint8Array());
  const subject = members[members[0]?.tag === VERSION ? 5 : 4];
  if (subject === undefined) throw new RangeError("the certificate has no subject");
  return subject;
}

function canonicalizeAttribute(attribute: DerValue): Uint8Array {
  const [type, value] = readValues(attribute.content);
  if (type === undefined || value === undefined) throw new RangeError("the subject has an empty attribute");
  return encode(SEQUENCE, Buffer.concat([type.whole, canonicalizeValue(value)]));
}

function canonicalizeValue(value: DerValue): Uint8Array {
  const encoding = STRINGS[value.tag];
  if (encoding === undefined) return value.whole;
  const text = decodeText(value.content, encoding)
    .replace(/^[\t-\r ]+|[\t-\r ]+$/gu, "")
    .replaceAll(/[\t-\r ]+/gu, " ")
    .replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase());
  return encode(UTF8_STRING, Buffer.from(text, "utf8"));
}

function decodeText(bytes: Uint8Array, encoding: "utf8" | "latin1" | "utf16" | "utf32"): string {
  const buffer = Buffer.from(bytes);
  switch (encoding) {
    case "utf8":
    case "latin1":
      return buffer.toString(encoding);
    case "utf16":
      return buffer.swap16().toString("utf16le");
    case "utf32":
      return Array.from({ length: buffer.byteLength / 4 }, (_, index) =>
        String.fromCodePoint(buffer.readUInt32BE(index * 4)),
      ).join("");
  }
}

function readValues(bytes: Uint8Array): readonly DerValue[] {
  const values: DerValue[] = [];
  for (let offset = 0; offset < bytes.byteLength;) {
    const start = offset;
    const tag = bytes[offset] ?? 0;
    let length = bytes[offset + 1] ?? 0;
    offset += 2;
    if (length >= 0x80) {
      const digits = length & 0x7f;
      length = 0;
      for (let index = 0; index < digits; index += 1) length = length * 256 + (bytes[offset + index] ?? 0);
      offset += digits;
    }
    const end = offset + length;
    if (end > bytes.byteLength) throw new RangeError("the certificate is cut short");
    values.push({ tag, whole: bytes.subarray(start, end), content: bytes.subarray(offset, end) });
    offset = end;
  }
  return values;
}

function encode(tag: number, content: Uint8Array): Uint8Array {
  const { byteLength: length } = content;
  const header =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), content]);
}
