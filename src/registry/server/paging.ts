// SPDX-License-Identifier: Apache-2.0
import { RegistryFault } from "./registry-fault.ts";

/** Entries of one answer, whatever a client asks for. */
const LARGEST_PAGE = 10_000;

/** A part of a list. */
export interface Page {
  readonly entries: readonly string[];
  /** `Link` header to what follows; no member when nothing does. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Cuts a sorted list as `n` and `last` say (distribution-spec v1.1.1, "Listing Tags").
 *
 * @param path Where the next page is, without a query.
 * @throws {RegistryFault} 400 `UNSUPPORTED` for an `n` that is no count
 */
export function pageOf(sorted: readonly string[], query: URLSearchParams, path: string): Page {
  const count = parseCount(query.get("n"));
  const last = query.get("last");
  const rest = last === null ? sorted : sorted.filter((entry) => entry > last);
  const entries = rest.slice(0, count);
  const end = entries.at(-1);
  if (end === undefined || entries.length === rest.length) return { entries, headers: {} };
  const next = new URLSearchParams({ n: String(count), last: end });
  return { entries, headers: { link: `<${path}?${next.toString()}>; rel="next"` } };
}

function parseCount(text: string | null): number {
  if (text === null) return LARGEST_PAGE;
  if (!/^\d{1,18}$/.test(text)) throw new RegistryFault(400, "UNSUPPORTED", '"n" must be a count');
  return Math.min(Number(text), LARGEST_PAGE);
}
