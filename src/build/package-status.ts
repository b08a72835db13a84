// SPDX-License-Identifier: Apache-2.0
import { compareText } from "./layer-order.ts";
import type { CapturedFile } from "./layer-record.ts";

const STATUS_FILE = "var/lib/dpkg/status";
/** Where images without dpkg itself keep a stanza per package, beside lists of checksums. */
const STATUS_PART = /^var\/lib\/dpkg\/status\.d\/[^/]+(?<!\.md5sums)$/;

/** Whether a file of an image belongs to what {@link joinPackageStatus} joins. */
export function isPackageStatus(path: string): boolean {
  return path === STATUS_FILE || STATUS_PART.test(path);
}

/**
 * What an image's files say is installed, as one `/var/lib/dpkg/status`. Absent: they hold no package database.
 *
 * @param files By path; those that {@link isPackageStatus} knows.
 */
export function joinPackageStatus(files: Readonly<Record<string, CapturedFile>>): string | undefined {
  const parts = Object.keys(files)
    .filter((path) => STATUS_PART.test(path))
    .sort(compareText)
    .flatMap((path) => splitStanzas(files[path]?.text ?? ""))
    .filter((stanza) => stanza.startsWith("Package:"));
  const status = files[STATUS_FILE]?.text;
  if (status === undefined && parts.length === 0) return undefined;
  return mergePackageStatus(status ?? "", parts.map(markInstalled));
}

/** Stanzas of their own leave out what goes without saying. */
function markInstalled(stanza: string): string {
  if (/^Status:/m.test(stanza)) return stanza;
  return stanza.replace(/^Package:.*/, (line) => `${line}\nStatus: install ok installed`);
}

/**
 * The base's `/var/lib/dpkg/status` (deb822 stanzas) with the stanzas of the packages that tools add. A package
 * that the base has too is replaced, as an upgrade would; the rest of the base stays as it was.
 */
export function mergePackageStatus(base: string, added: readonly string[]): string {
  const additions = new Map(added.map((stanza) => [identifyPackage(stanza), stanza.trim()]));
  const kept = splitStanzas(base).filter((stanza) => !additions.has(identifyPackage(stanza)));
  const sorted = [...additions].sort(([a], [b]) => compareText(a, b)).map(([, stanza]) => stanza);
  return [...kept, ...sorted].map((stanza) => `${stanza}\n\n`).join("");
}

/** The stanzas of a status file, without the empty lines between them. */
function splitStanzas(text: string): readonly string[] {
  return text
    .split(/\n(?:[ \t]*\n)+/)
    .map((stanza) => stanza.replace(/^\n+|\n+$/g, ""))
    .filter((stanza) => stanza !== "");
}

function identifyPackage(stanza: string): string {
  const name = /^Package:[ \t]*(\S+)/m.exec(stanza)?.[1] ?? "";
  const architecture = /^Architecture:[ \t]*(\S+)/m.exec(stanza)?.[1] ?? "";
  // "all" may become "amd64" in another version of the same package, and the other way round.
  return /^Multi-Arch:[ \t]*same/m.test(stanza) ? `${name}:${architecture}` : name;
}
