// SPDX-License-Identifier: Apache-2.0
import { isCollection, isMap, isScalar, type Node, type Pair, type YAMLMap, type YAMLSeq } from "yaml";

/** Replaces `text` from `start` to `end` (offsets) by `insert`. */
export interface TextEdit {
  readonly start: number;
  readonly end: number;
  readonly insert: string;
}

/** Applies edits that do not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const ordered = edits.toSorted((a, b) => b.start - a.start);
  return ordered.reduce(
    (result, { start, end, insert }) => result.slice(0, start) + insert + result.slice(end),
    text,
  );
}

/** The edit that writes `value` (YAML source) where `node` stands. */
export function replaceNode(node: Node, value: string): TextEdit {
  const [start, end] = rangeOf(node);
  return { start, end, insert: value };
}

/** The edit that adds `key: value` at the end of a map, in the map's own style. */
export function appendPair(text: string, map: YAMLMap, key: string, value: string): TextEdit {
  const last = map.items.at(-1);
  if (map.flow === true || last === undefined) return appendToFlow(text, map, `${key}: ${value}`);
  const [start] = rangeOf((map.items[0] as Pair<Node>).key);
  return appendLine(text, endOf(last.value ?? last.key), `${indentAt(text, start)}${key}: ${value}`);
}

/** The edit that adds an item at the end of a list, in the list's own style. */
export function appendItem(text: string, list: YAMLSeq, value: string): TextEdit {
  if (list.flow === true || list.items.length === 0) return appendToFlow(text, list, value);
  const start = text.lastIndexOf("-", rangeOf(list.items[0])[0]);
  return appendLine(text, endOf(list.items.at(-1)), `${indentAt(text, start)}- ${value}`);
}

/** Sees to it that `text` ends with a newline, for a key added at its end. */
export function appendAtEnd(text: string, addition: string): TextEdit {
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  return { start: text.length, end: text.length, insert: `${separator}${addition}\n` };
}

function appendToFlow(text: string, collection: YAMLMap | YAMLSeq, value: string): TextEdit {
  const last = collection.items.at(-1);
  if (last !== undefined) {
    const end = endOf(isPairLike(last) ? (last.value ?? last.key) : last);
    return { start: end, end, insert: `, ${value}` };
  }
  const start = rangeOf(collection)[0] + 1;
  const padding = isMap(collection) ? " " : "";
  return { start, end: text[start] === " " ? start + 1 : start, insert: `${padding}${value}${padding}` };
}

function appendLine(text: string, after: number, line: string): TextEdit {
  const newline = text.indexOf("\n", after);
  const end = newline === -1 ? text.length : newline;
  return { start: end, end, insert: `\n${line}` };
}

function indentAt(text: string, offset: number): string {
  return " ".repeat(offset - (text.lastIndexOf("\n", offset - 1) + 1));
}

/** Where the last character that belongs to a value ends, trailing comments and blank lines left out. */
function endOf(node: unknown): number {
  if (isCollection(node) && node.flow !== true && node.items.length > 0) {
    const last: unknown = node.items.at(-1);
    return endOf(isPairLike(last) ? (last.value ?? last.key) : last);
  }
  return rangeOf(node)[1];
}

function isPairLike(item: unknown): item is { key: unknown; value: unknown } {
  return typeof item === "object" && item !== null && "key" in item && !isScalar(item);
}

function rangeOf(node: unknown): readonly [number, number] {
  const range = (node as Node | undefined)?.range;
  return [range?.[0] ?? 0, range?.[1] ?? 0];
}
