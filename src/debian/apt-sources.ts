// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { parseControl } from "./control-file.ts";

/** One stanza or line of apt's sources (sources.list(5)). */
export interface AptSource {
  /** `deb`, `deb-src`. */
  readonly types: readonly string[];
  /** Without a trailing slash. */
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Path of a keyring. Absent: apt's own keys, or keys written into the file. */
  readonly signedBy?: string;
}

/**
 * Parses apt sources in either form; `name` ends in `.list` (one line each) or `.sources` (deb822). Disabled entries
 * are left out. What cannot be understood is passed over: it is apt's file, not ours.
 */
export function parseAptSources(name: string, text: string): readonly AptSource[] {
  return name.endsWith(".sources") ? parseStanzas(text) : text.split("\n").flatMap(parseLine);
}

function parseStanzas(text: string): readonly AptSource[] {
  // Stanza by stanza, so that a mistake in one does not hide the others.
  return text.split(/\n[ \t]*\n/u).flatMap((stanza) => {
    let fields;
    try {
      [fields] = parseControl(stanza);
    } catch (error) {
      if (error instanceof ToolingError) return [];
      throw error;
    }
    if (fields === undefined) return [];
    const byName = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
    if (/^(?:no|false|0|off|disable)$/iu.test(byName.get("enabled") ?? "yes")) return [];
    const signedBy = byName.get("signed-by");
    return [
      {
        types: splitWords(byName.get("types")),
        uris: splitWords(byName.get("uris")).map(trimSlash),
        suites: splitWords(byName.get("suites")),
        components: splitWords(byName.get("components")),
        ...(signedBy?.startsWith("/") === true ? { signedBy } : {}),
      },
    ];
  });
}

const LINE = /^\s*(deb|deb-src)\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)((?:\s+[^#\s]\S*)*)\s*(?:#.*)?$/u;

function parseLine(line: string): readonly AptSource[] {
  const match = LINE.exec(line);
  if (match === null) return [];
  const [, type = "", options = "", uri = "", suite = "", components = ""] = match;
  const signedBy = /(?:^|\s)signed-by=(\/\S+)/u.exec(options)?.[1];
  return [
    {
      types: [type],
      uris: [trimSlash(uri)],
      suites: [suite],
      components: splitWords(components),
      ...(signedBy === undefined ? {} : { signedBy }),
    },
  ];
}

const CODENAME = "(?:buster|bullseye|bookworm|trixie|forky|duke|sid|(?:old)*stable|testing|unstable)";
const MAIN_SUITE = new RegExp(`^${CODENAME}$`, "u");
const UPDATES_SUITE = new RegExp(`^${CODENAME}-updates$`, "u");
const SECURITY_SUITE = new RegExp(`^${CODENAME}(?:-security|/updates)$`, "u");

/**
 * The addresses of Debian's own archive among `sources`: mirrors of the main archive first, then those of the security
 * archive. They serve every suite, not only the one that the machine runs.
 */
export function listArchiveAddresses(sources: readonly AptSource[]): readonly string[] {
  const usable = sources.filter(
    ({ types, components, uris }) =>
      types.includes("deb") && components.includes("main") && uris.some(isWebAddress),
  );
  const main = usable.filter(({ suites }) => suites.some((suite) => MAIN_SUITE.test(suite)));
  const security = usable.filter(({ suites }) => suites.some((suite) => SECURITY_SUITE.test(suite)));
  const updated = new Set(
    usable
      .filter(({ suites }) => suites.some((suite) => UPDATES_SUITE.test(suite)))
      .flatMap(({ uris }) => uris),
  );
  // Other people's archives use Debian's suite names too; Debian's own has updates and Debian's keyring.
  const weigh = ({ uris, signedBy }: AptSource): number =>
    (signedBy?.includes("debian-archive") === true ? 2 : 0) + (uris.some((uri) => updated.has(uri)) ? 1 : 0);
  const most = Math.max(0, ...main.map(weigh));
  const best = main.filter((source) => weigh(source) === most);
  return [...new Set([...best, ...security].flatMap(({ uris }) => uris))].filter(isWebAddress);
}

function isWebAddress(uri: string): boolean {
  return /^https?:\/\//u.test(uri);
}

function splitWords(text: string | undefined): readonly string[] {
  return (text ?? "").split(/\s+/u).filter((word) => word !== "");
}

function trimSlash(uri: string): string {
  return uri.replace(/\/+$/u, "");
}
