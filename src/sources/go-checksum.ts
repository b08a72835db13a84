// SPDX-License-Identifier: Apache-2.0
import type { GoSettings } from "./mirrors.ts";

/**
 * Whether the settings tell the go command not to ask the checksum database for a module, so that its hash is the
 * proxy's word alone (go.dev/ref/mod#private-modules).
 */
export function isUnconfirmed(module: string, settings: GoSettings): boolean {
  if (settings["GOSUMDB"] === "off") return true;
  const patterns = settings["GONOSUMDB"] ?? settings["GOPRIVATE"] ?? "";
  return patterns.split(",").some((pattern) => matchesPrefix(pattern.trim().replace(/\/$/, ""), module));
}

/** As `module.MatchPrefixPatterns` of golang.org/x/mod: as many elements of the path as the pattern has must match it. */
function matchesPrefix(pattern: string, module: string): boolean {
  if (pattern === "") return false;
  const length = pattern.split("/").length;
  const prefix = module.split("/").slice(0, length);
  return prefix.length === length && globToExpression(pattern).test(prefix.join("/"));
}

/** The syntax of Go's `path.Match`. */
function globToExpression(glob: string): RegExp {
  const source = glob.replaceAll(/\\.|\[\^?(?:\\.|[^\]\\])+\]|[\s\S]/g, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    return part.length > 1 ? part : part.replace(/[.*+?^${}()|[\]\\]/, "\\$&");
  });
  return new RegExp(`^${source}$`);
}
