// SPDX-License-Identifier: Apache-2.0
import * as z from "zod";
import { type SourcePosition, ToolingError } from "../core/error.ts";
import { suggestName } from "../core/suggestion.ts";
import { parseYamlText, type YamlText } from "./yaml-text.ts";

/**
 * Reads one YAML document of the catalog and checks it against `schema`. `file` is only used in messages.
 *
 * @throws {ToolingError} `CATALOG_INVALID`, with the place of the first thing that is wrong
 */
export function parseYamlDefinition<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const yaml = parseYamlText(text, file, "CATALOG_INVALID");
  const result = schema.safeParse(yaml.value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => describe(closest(issue), yaml));
  // A misspelt key explains why another is missing.
  const first = issues.toSorted(
    (a, b) => Number(a.isMissing) - Number(b.isMissing) || comparePositions(a.position, b.position),
  )[0];
  throw new ToolingError("CATALOG_INVALID", first?.message ?? "is not a definition", {
    hint: first?.hint ?? "Correct the file at that place.",
    position: first?.position ?? { file, line: 1, column: 1 },
  });
}

interface Finding {
  readonly message: string;
  readonly position: SourcePosition;
  readonly isMissing: boolean;
  readonly hint?: string | undefined;
}

/** Of a union's branches, what the one that came closest says. */
function closest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const branch = issue.errors.toSorted((a, b) => a.length - b.length)[0]?.[0];
  return branch === undefined ? issue : closest({ ...branch, path: [...issue.path, ...branch.path] });
}

function describe(issue: z.core.$ZodIssue, yaml: YamlText): Finding {
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const near = suggestName(key, KNOWN_KEYS);
    return {
      message: `key "${[...path, key].join(".")}" is unknown`,
      position: yaml.positionOf([...path, key]),
      isMissing: false,
      hint: near === undefined ? undefined : `Did you mean "${near}"?`,
    };
  }
  if (issue.code === "invalid_key") {
    const reason = issue.issues[0]?.message ?? "is not allowed";
    return {
      message: `key "${path.join(".")}" ${reason}`,
      position: yaml.positionOf(path),
      isMissing: false,
    };
  }
  const subject = path.length === 0 ? "the definition" : `"${path.join(".")}"`;
  const isMissing = path.length > 0 && !yaml.has(path);
  const message = `${subject} ${isMissing ? "is missing" : wording(issue)}`;
  return { message, position: yaml.positionOfValue(path), isMissing };
}

function wording(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return `is not ${article(issue.expected)}`;
  if (issue.code === "invalid_value")
    return `is none of ${issue.values.map((value) => `"${String(value)}"`).join(", ")}`;
  if (issue.code === "invalid_union") return "is none of the kinds of source";
  if (issue.code === "too_small") return "is empty";
  return lowerFirst(issue.message);
}

function article(expected: string): string {
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

/** Every key that some part of a definition has; where it stands does not matter for a suggestion. */
const KNOWN_KEYS: readonly string[] = [
  "aliases",
  "amd64",
  "architectures",
  "archive",
  "args",
  "arm64",
  "bash",
  "binaries",
  "binary",
  "checksums",
  "command",
  "completions",
  "contains",
  "debianPackages",
  "description",
  "env",
  "examples",
  "exec",
  "exitCode",
  "extras",
  "files",
  "fish",
  "format",
  "from",
  "homepage",
  "keep",
  "ldflags",
  "license",
  "links",
  "matches",
  "module",
  "name",
  "network",
  "package",
  "packages",
  "path",
  "paths",
  "pattern",
  "reference",
  "replace",
  "requirements",
  "script",
  "sha256",
  "source",
  "sources",
  "summary",
  "sums",
  "tags",
  "tests",
  "to",
  "toolchain",
  "toolchains",
  "url",
  "version",
  "versions",
  "writes",
  "zsh",
];

function comparePositions(a: SourcePosition, b: SourcePosition): number {
  return a.line - b.line || a.column - b.column;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
