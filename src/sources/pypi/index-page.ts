// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { parseStrictJson } from "../../core/strict-json.ts";

/** One file of a project, as an index lists it. */
export interface IndexedFile {
  /** File name, without folders. */
  readonly name: string;
  /** Absolute address. */
  readonly url: string;
  /** 64 lower-case hex digits. Absent: the index gives none, and the file is not used. */
  readonly sha256?: string | undefined;
  /** Bytes. Absent: not told. */
  readonly size?: number | undefined;
  /** Version specifier of the Pythons that it runs on. Absent: not told. */
  readonly requiresPython?: string | undefined;
  /** Withdrawn by its project (PEP 592). */
  readonly yanked: boolean;
  /** Digest of the METADATA file that the index offers beside it (PEP 658, PEP 714). Absent: it offers none. */
  readonly metadataSha256?: string | undefined;
}

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Reads the page of a project in an index, JSON (PEP 691) or HTML (PEP 503). `address` is where it was found, which
 * links are relative to.
 *
 * @throws {ToolingError} `DOWNLOAD_FAILED` when it is neither, or JSON of a version that we do not know
 */
export function parseIndexPage(text: string, address: string): readonly IndexedFile[] {
  return text.trimStart().startsWith("{") ? parseJsonPage(text, address) : parseHtmlPage(text, address);
}

function parseJsonPage(text: string, address: string): readonly IndexedFile[] {
  const page = objectOf(parseStrictJson(text, { what: "page of the Python index" }));
  const version = objectOf(page["meta"])["api-version"];
  if (typeof version !== "string" || !/^1\.\d+$/.test(version) || !Array.isArray(page["files"])) {
    throw new ToolingError("DOWNLOAD_FAILED", "Python index answers in a form that is not known here", {
      hint: "Check the index that this machine's pip or toolbox.yaml names.",
    });
  }
  return page["files"].flatMap((file: unknown) => toFile(objectOf(file), address));
}

function toFile(file: Readonly<Record<string, unknown>>, address: string): readonly IndexedFile[] {
  const { filename: name, url, size, yanked } = file;
  if (typeof name !== "string" || typeof url !== "string" || !URL.canParse(url, address)) return [];
  const requiresPython = file["requires-python"];
  const metadata = objectOf(file["core-metadata"] ?? file["dist-info-metadata"]);
  return [
    {
      name,
      url: new URL(url, address).href,
      sha256: digestOf(objectOf(file["hashes"])["sha256"]),
      size: typeof size === "number" && Number.isSafeInteger(size) && size >= 0 ? size : undefined,
      requiresPython: typeof requiresPython === "string" ? requiresPython : undefined,
      yanked: yanked === true || typeof yanked === "string",
      metadataSha256: digestOf(metadata["sha256"]),
    },
  ];
}

const ANCHOR = /<a\s((?:"[^"]*"|'[^']*'|[^"'>])*)>/gi;
const ATTRIBUTE = /([a-z][a-z0-9-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi;

function parseHtmlPage(text: string, address: string): readonly IndexedFile[] {
  if (!/<(?:!doctype|html|a)\b/i.test(text)) {
    throw new ToolingError(
      "DOWNLOAD_FAILED",
      "Python index answers with something that is no list of files",
      {
        hint: "Check the index that this machine's pip or toolbox.yaml names.",
      },
    );
  }
  const base = attributesOf(/<base\s([^>]*)>/i.exec(text)?.[1] ?? "").get("href");
  const root = base !== undefined && URL.canParse(base, address) ? new URL(base, address).href : address;
  return [...text.matchAll(ANCHOR)].flatMap(([, attributes = ""]) => toLink(attributesOf(attributes), root));
}

function toLink(attributes: ReadonlyMap<string, string>, address: string): readonly IndexedFile[] {
  const href = attributes.get("href");
  if (href === undefined || !URL.canParse(href, address)) return [];
  const url = new URL(href, address);
  const sha256 = digestOf(/(?:^#|&)sha256=([0-9a-f]{64})/i.exec(url.hash)?.[1]);
  url.hash = "";
  const name = decodeName(url.pathname.slice(url.pathname.lastIndexOf("/") + 1));
  const metadata = attributes.get("data-core-metadata") ?? attributes.get("data-dist-info-metadata");
  return [
    {
      name,
      url: url.href,
      sha256,
      requiresPython: attributes.get("data-requires-python"),
      yanked: attributes.has("data-yanked"),
      metadataSha256: digestOf(/^sha256=([0-9a-f]{64})$/i.exec(metadata ?? "")?.[1]),
    },
  ];
}

function attributesOf(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name = "", double, single, bare] of text.matchAll(ATTRIBUTE)) {
    attributes.set(name.toLowerCase(), decodeEntities(double ?? single ?? bare ?? ""));
  }
  return attributes;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", apos: "'", gt: ">", lt: "<", quot: '"' };

function decodeEntities(text: string): string {
  return text.replaceAll(
    /&(?:#(\d{1,6})|#x([0-9a-f]{1,5})|([a-z]+));/gi,
    (whole: string, decimal, hex, name) => {
      if (typeof decimal === "string") return String.fromCodePoint(Number(decimal));
      if (typeof hex === "string") return String.fromCodePoint(Number.parseInt(hex, 16));
      return ENTITIES[String(name).toLowerCase()] ?? whole;
    },
  );
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function digestOf(value: unknown): string | undefined {
  const text = typeof value === "string" ? value.toLowerCase() : "";
  return SHA256.test(text) ? text : undefined;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
