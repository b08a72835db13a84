// SPDX-License-Identifier: Apache-2.0

/** Any JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** Optional parts of {@link formatCanonicalJson}. */
export interface FormatJsonOptions {
  /** Spaces per level. Absent: 0, one line without a final newline; otherwise a newline ends the text. */
  readonly indent?: number;
}

/**
 * JSON with keys sorted by code unit and absent members left out, so equal values give equal bytes.
 * Array order is kept.
 */
export function formatCanonicalJson(value: unknown, { indent = 0 }: FormatJsonOptions = {}): string {
  const text = JSON.stringify(sortKeys(value), null, indent);
  return indent > 0 ? `${text}\n` : text;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, member]) => [key, sortKeys(member)]));
}
