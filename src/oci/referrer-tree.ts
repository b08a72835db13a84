// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";

/** Lists what is directly about a manifest. */
export type ListReferrersOf = (subject: Digest, options?: OperationOptions) => Promise<readonly Descriptor[]>;

/** A manifest that is about another one, and what is about it in turn. */
export interface ReferrerNode {
  readonly descriptor: Descriptor;
  readonly referrers: readonly ReferrerNode[];
}

/** Optional parts of {@link readReferrerTree}. */
export interface ReadReferrerTreeOptions extends OperationOptions {
  /** Most nodes of the whole tree; more is an error. Absent: 1000. */
  readonly limit?: number | undefined;
  /** Most levels; more is an error. Absent: 16. */
  readonly depth?: number | undefined;
}

/**
 * Signatures, SBOMs and the like about a manifest, and what is about those. Each manifest stands in the tree once.
 *
 * @throws {ToolingError} `REGISTRY_FAILED` when there are more than `limit` or they go deeper than `depth`
 */
export async function readReferrerTree(
  list: ListReferrersOf,
  subject: Digest,
  { limit = 1000, depth = 16, signal }: ReadReferrerTreeOptions = {},
): Promise<readonly ReferrerNode[]> {
  const seen = new Set<Digest>([subject]);
  const readLevel = async (about: Digest, level: number): Promise<readonly ReferrerNode[]> => {
    signal?.throwIfAborted();
    const nodes: ReferrerNode[] = [];
    for (const descriptor of await list(about, { signal })) {
      if (seen.has(descriptor.digest)) continue;
      seen.add(descriptor.digest);
      if (level > depth || seen.size - 1 > limit) throw tooMany(subject, { limit, depth });
      nodes.push({ descriptor, referrers: await readLevel(descriptor.digest, level + 1) });
    }
    return nodes;
  };
  return await readLevel(subject, 1);
}

function tooMany(subject: Digest, { limit, depth }: { limit: number; depth: number }): ToolingError {
  return new ToolingError(
    "REGISTRY_FAILED",
    `"${subject}" has more than ${limit} referrers, or more than ${depth} levels of them`,
    { hint: "Delete those that nobody needs; so many are most likely a mistake or an attack." },
  );
}
