// SPDX-License-Identifier: Apache-2.0
import { formatCanonicalJson } from "../core/json.ts";
import { alignLists } from "./align-lists.ts";

/** One member of a JSON document that is not the same in both. */
export interface ValueChange {
  /** Names of members, and numbers of list items, from the document down. */
  readonly path: readonly (string | number)[];
  /** Absent: it is not there. */
  readonly from?: unknown;
  readonly to?: unknown;
}

/** The members and items in which two JSON values differ, as deep as possible. */
export function compareValues(
  from: unknown,
  to: unknown,
  path: readonly (string | number)[] = [],
): readonly ValueChange[] {
  if (isEqual(from, to)) return [];
  if (Array.isArray(from) && Array.isArray(to)) return compareLists(from, to, path);
  if (isObject(from) && isObject(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted();
    return names.flatMap((name) => compareValues(memberOf(from, name), memberOf(to, name), [...path, name]));
  }
  return [
    {
      path,
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
    },
  ];
}

/** Items that only moved because others came or went are no change. */
function compareLists(
  from: readonly unknown[],
  to: readonly unknown[],
  path: readonly (string | number)[],
): readonly ValueChange[] {
  return alignLists(from.map(canonical), to.map(canonical)).flatMap((gap) => {
    const [before, after] = [from.slice(gap.from, gap.fromEnd), to.slice(gap.to, gap.toEnd)];
    if (before.length === after.length)
      return before.flatMap((item, index) => compareValues(item, after[index], [...path, gap.to + index]));
    return [
      ...before.map((item, index) => ({ path: [...path, gap.from + index], from: item })),
      ...after.map((item, index) => ({ path: [...path, gap.to + index], to: item })),
    ];
  });
}

/** Names come from strangers: what every object inherits is no member. */
function memberOf(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function isEqual(a: unknown, b: unknown): boolean {
  return a === b || (a !== undefined && b !== undefined && canonical(a) === canonical(b));
}

function canonical(value: unknown): string {
  return formatCanonicalJson(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
