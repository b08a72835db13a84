// SPDX-License-Identifier: Apache-2.0

/** Says whether a path (relative, no leading slash) is left out. */
export type PathFilter = (path: string) => boolean;

/**
 * Patterns as in dpkg's path-exclude and path-include (dpkg(1)): shell wildcards over the whole path with its leading
 * slash, where `*` and `?` match slashes too. A pattern after a `!` brings back; the last one that matches decides.
 */
export function createPathFilter(patterns: readonly string[]): PathFilter {
  const rules = patterns.map((pattern) => {
    const brings = pattern.startsWith("!");
    return { excludes: !brings, expression: toExpression(brings ? pattern.slice(1) : pattern) };
  });
  return (path) => rules.findLast(({ expression }) => expression.test(`/${path}`))?.excludes ?? false;
}

function toExpression(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|\\]/gu, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source.replaceAll("[!", "[^")}$`, "su");
}
