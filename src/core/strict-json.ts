// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "./error.ts";

/** How {@link parseStrictJson} reads. */
export interface ParseStrictJsonOptions {
  /** What the text is, as a noun phrase that starts the error message: `manifest "sha256:..."`. */
  readonly what: string;
  /** Deepest nesting of objects and arrays. Absent: 64. */
  readonly maxDepth?: number;
}

/**
 * Parses JSON (RFC 8259) that others wrote, and refuses all that two parsers could read differently: duplicate keys,
 * a byte order mark, invalid UTF-8, deep nesting; also `__proto__` as a key.
 *
 * @throws {ToolingError} `JSON_INVALID`
 */
export function parseStrictJson(
  text: string | Uint8Array,
  { what, maxDepth = 64 }: ParseStrictJsonOptions,
): unknown {
  const source = typeof text === "string" ? text : decodeUtf8(text, what);
  if (source.startsWith("\uFEFF")) throw invalid(what, "starts with a byte order mark");
  // The scan comes first: it is what bounds the depth, and with it the stack that JSON.parse needs.
  scan(source, maxDepth, what);
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    throw invalid(what, `is not valid JSON: ${(error as SyntaxError).message}`, error);
  }
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw invalid(what, "is not valid UTF-8", error);
  }
}

/** A string, or one character that opens, closes or separates. Everything else is JSON.parse's business. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]/gs;

interface Level {
  /** Keys seen in this object. Absent for an array. */
  readonly keys?: Set<string>;
  expectsKey: boolean;
}

function scan(source: string, maxDepth: number, what: string): void {
  const levels: Level[] = [];
  for (const [token] of source.matchAll(TOKEN)) {
    const level = levels.at(-1);
    if (token === "{" || token === "[") {
      if (levels.length === maxDepth) throw invalid(what, `is nested more than ${maxDepth} levels deep`);
      levels.push(token === "{" ? { keys: new Set(), expectsKey: true } : { expectsKey: false });
    } else if (token === "}" || token === "]") {
      levels.pop();
    } else if (level?.keys !== undefined) {
      if (token.startsWith('"') && level.expectsKey) addKey(level.keys, token, what);
      level.expectsKey = token === ",";
    }
  }
}

function addKey(keys: Set<string>, token: string, what: string): void {
  const key = unquote(token);
  if (key === "__proto__") throw invalid(what, 'has the key "__proto__"');
  if (keys.has(key)) throw invalid(what, `has the key "${key}" twice`);
  keys.add(key);
}

function unquote(token: string): string {
  try {
    return JSON.parse(token) as string;
  } catch {
    // A malformed string: JSON.parse refuses the whole text later, with a better message.
    return token;
  }
}

function invalid(what: string, why: string, cause?: unknown): ToolingError {
  return new ToolingError("JSON_INVALID", `${what} ${why}`, {
    hint: "Get the document again; if it stays the same, tell whoever made it.",
    cause,
  });
}
