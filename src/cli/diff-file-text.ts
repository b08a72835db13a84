// SPDX-License-Identifier: Apache-2.0
import type { ByteDifference, FileAspect, FileChange, MemberFacts } from "../diff/index.ts";
import { formatSize } from "./measure.ts";
import { plainText } from "./plain-text.ts";

/** One path: `~ usr/bin/x: mode 0644 -> 0755`, and where the contents part. */
export function formatFileChange({ path, kind, from, to, aspects, content }: FileChange): string[] {
  const facts = to ?? from;
  const sign = { added: "+", removed: "-", changed: "~" }[kind];
  const name = plainText(path === "" ? "/" : path);
  if (facts === undefined) return [];
  if (kind !== "changed" || from === undefined || to === undefined)
    return [`${sign} ${describeMember(name, facts)}`];
  const details = aspects.map((aspect) => describeAspect(aspect, from, to));
  return [
    `${sign} ${name}: ${details.join(", ")}`,
    ...(content === undefined ? [] : formatByteDifference(content)),
  ];
}

/** A few bytes of both sides around the first one that differs. */
export function formatByteDifference({ offset, start, from, to }: ByteDifference): string[] {
  return [
    `  from byte ${offset} (0x${offset.toString(16)}) on`,
    `  A ${hexLine(start, from, offset)}`,
    `  B ${hexLine(start, to, offset)}`,
  ];
}

function hexLine(start: number, hex: string, offset: number): string {
  const bytes = Buffer.from(hex, "hex");
  const pairs = [...bytes].map((byte, index) => {
    // The first byte that differs is marked.
    return `${start + index === offset ? ">" : " "}${byte.toString(16).padStart(2, "0")}`;
  });
  const end = bytes.byteLength <= offset - start ? " (ends here)" : "";
  const text = [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
  return `${start.toString(16).padStart(8, "0")} ${pairs.join("")}${end}  |${text.join("")}|`;
}

function describeMember(name: string, { type, size, target }: MemberFacts): string {
  switch (type) {
    case "whiteout":
      return `(hides ${name})`;
    case "opaque":
      return `(hides all that lower layers have in ${name})`;
    case "file":
      return `${name}, ${formatSize(size)}`;
    case "directory":
      return `${name}/`;
    case "symlink":
      return `${name} -> ${plainText(target ?? "")}`;
    case "hardlink":
      return `${name}, another name of ${plainText(target ?? "")}`;
    case "character-device":
    case "block-device":
    case "fifo":
      return `${name}, a ${type}`;
  }
}

function describeAspect(aspect: FileAspect, from: MemberFacts, to: MemberFacts): string {
  switch (aspect) {
    case "type":
      return `${from.type} -> ${to.type}`;
    case "content":
      return from.size === to.size ? "content" : `content, ${from.size} -> ${to.size} bytes`;
    case "mode":
      return `mode ${formatMode(from.mode)} -> ${formatMode(to.mode)}`;
    case "owner":
      return `owner ${from.uid}:${from.gid} -> ${to.uid}:${to.gid}`;
    case "mtime":
      return `mtime ${formatTime(from.mtime)} -> ${formatTime(to.mtime)}`;
    case "target":
      return `target "${plainText(from.target ?? "")}" -> "${plainText(to.target ?? "")}"`;
    case "attributes":
      return `attributes ${describeAttributes(from.attributes, to.attributes)}`;
  }
}

function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString().replace(/\.?0*Z$/, "Z");
}

function describeAttributes(from: MemberFacts["attributes"], to: MemberFacts["attributes"]): string {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted();
  return plainText(names.filter((name) => from[name] !== to[name]).join(" "));
}
