// SPDX-License-Identifier: Apache-2.0
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import { type ErrorCode, type SourcePosition, ToolingError } from "../core/error.ts";

/** Keys and array indexes from the top of a document down to one value. */
export type YamlPath = readonly (string | number)[];

/** A YAML text turned into plain data that still knows where each part stands. */
export interface YamlText {
  /** The document with comments and formatting, for edits. */
  readonly document: Document.Parsed;
  /** Plain data: objects, arrays, strings, numbers, booleans, null. */
  readonly value: unknown;
  /** Where the key (or array item) at `path` stands, or the closest part above it that exists. */
  positionOf(path: YamlPath): SourcePosition;
  /** Where the value at `path` stands, or the closest part above it that exists. */
  positionOfValue(path: YamlPath): SourcePosition;
  /** Whether there is a key or item at `path`. */
  has(path: YamlPath): boolean;
  /** The scalar at `path` as it was typed (`1.30`, not 1.3). Absent when there is none. */
  sourceOf(path: YamlPath): string | undefined;
}

/** What is wrong with a file is told under the code of what it is. */
type YamlErrorCode = Extract<ErrorCode, "CATALOG_INVALID" | "WORKSPACE_INVALID">;

const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 32;

/** Names that reach into JavaScript's own objects instead of naming something of the user's. */
const RESERVED_KEYS: readonly string[] = ["__proto__", "constructor", "prototype"];

/**
 * Reads one YAML 1.2 document, strictly: one document, unique keys, no unknown tags, no alias bombs, no keys
 * such as `__proto__`, at most 1 MiB. `file` is only used in messages.
 *
 * @throws {ToolingError} `code`
 */
export function parseYamlText(content: string | Uint8Array, file: string, code: YamlErrorCode): YamlText {
  const invalid: InvalidYaml = (message, position, options = {}) =>
    new ToolingError(code, message, { hint: "Correct the file at that place.", position, ...options });
  const start = { file, line: 1, column: 1 };
  const text = typeof content === "string" ? content : decode(content, start, invalid);
  if (text.length > MAX_BYTES) throw invalid(`file is larger than ${MAX_BYTES} bytes`, start);
  const lines = new LineCounter();
  const at = (offset: number): SourcePosition => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    strict: true,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw invalid(describeSyntax(problem.code, problem.message), at(problem.pos[0]));
  checkNodes(document, at, invalid);
  const positionOf = (path: YamlPath, which: "key" | "value"): SourcePosition =>
    at(offsetOf(document, path, which));
  return {
    document,
    value: toPlain(document, start, invalid),
    positionOf: (path) => positionOf(path, "key"),
    positionOfValue: (path) => positionOf(path, "value"),
    has: (path) => document.hasIn(path),
    sourceOf: (path) => {
      const node = document.getIn(path, true);
      return isScalar(node) ? node.source : undefined;
    },
  };
}

type InvalidYaml = (
  message: string,
  position: SourcePosition,
  options?: { readonly hint?: string; readonly cause?: unknown },
) => ToolingError;

function decode(bytes: Uint8Array, start: SourcePosition, invalid: InvalidYaml): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw invalid("file is not UTF-8 text", start, { hint: "Save it as UTF-8.", cause: error });
  }
}

function checkNodes(
  document: Document.Parsed,
  at: (offset: number) => SourcePosition,
  invalid: InvalidYaml,
): void {
  visit(document, {
    Pair(_, pair, path) {
      const key = pair.key;
      if (!isScalar(key))
        throw invalid("a key is not a plain word", at(isNode(key) ? (key.range?.[0] ?? 0) : 0));
      if (RESERVED_KEYS.includes(String(key.value))) {
        throw invalid(`key "${String(key.value)}" is reserved`, at(key.range?.[0] ?? 0));
      }
      if (path.length > MAX_DEPTH * 2) throw invalid("values are nested too deeply", at(key.range?.[0] ?? 0));
    },
    Seq(_, seq, path) {
      if (path.length > MAX_DEPTH * 2) throw invalid("values are nested too deeply", at(seq.range?.[0] ?? 0));
    },
  });
}

function toPlain(document: Document.Parsed, start: SourcePosition, invalid: InvalidYaml): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw invalid("aliases expand to too many values", start, {
      hint: "Write the values out instead of repeating aliases of aliases.",
      cause: error,
    });
  }
}

/** Follows `path` as far as the document goes, through aliases. */
function offsetOf(document: Document.Parsed, path: YamlPath, which: "key" | "value"): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    const parent: unknown = isAlias(node) ? node.resolve(document) : node;
    const found = isCollection(parent) ? childOf(parent, step) : undefined;
    if (found === undefined) return offset;
    node = found.value;
    const wantsValue = which === "value" && depth === path.length - 1;
    offset = (wantsValue ? startOf(node) : undefined) ?? startOf(found.key) ?? startOf(node) ?? offset;
  }
  return offset;
}

function childOf(parent: unknown, step: string | number): { key?: unknown; value: unknown } | undefined {
  if (isMap(parent))
    return parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  if (!isSeq(parent)) return undefined;
  const value: unknown = parent.items[Number(step)];
  return value === undefined ? undefined : { value };
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}

function describeSyntax(code: string, message: string): string {
  if (code === "DUPLICATE_KEY") return "a key is written twice";
  if (code === "MULTIPLE_DOCS") return "file holds more than one YAML document";
  const first = message.split("\n", 1)[0] ?? message;
  return `YAML is malformed: ${first.charAt(0).toLowerCase()}${first.slice(1)}`;
}
