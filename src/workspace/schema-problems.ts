// SPDX-License-Identifier: Apache-2.0
import type { core } from "zod";
import { suggestName } from "../core/suggestion.ts";
import { workspaceJsonSchema } from "./json-schema.ts";
import type { Problem } from "./problem.ts";
import type { YamlText } from "../catalog/index.ts";

/** Turns what zod found into problems with positions, in words that fit a YAML file. */
export function schemaProblems(issues: readonly core.$ZodIssue[], text: YamlText): Problem[] {
  const seen = new Set<string>();
  return issues.flatMap(flatten).flatMap((issue) => {
    // One value can break several rules at once; the first says enough.
    const key = `${issue.path.join("\0")} ${issue.code === "unrecognized_keys"}`;
    return seen.has(key) ? [] : (seen.add(key), describe(issue, text));
  });
}

/** A union's issue stands for the branch that came closest: the one that accepts the value's type. */
function flatten(issue: core.$ZodIssue): core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const branches = issue.errors.filter(
    (branch) => !branch.some(({ code, path }) => code === "invalid_type" && path.length === 0),
  );
  const closest = branches.toSorted((a, b) => unknownKeys(a) - unknownKeys(b) || a.length - b.length)[0];
  if (closest === undefined) return [issue];
  return closest.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }));
}

function unknownKeys(issues: readonly core.$ZodIssue[]): number {
  return issues.reduce((sum, issue) => sum + (issue.code === "unrecognized_keys" ? issue.keys.length : 0), 0);
}

function describe(issue: core.$ZodIssue, text: YamlText): Problem[] {
  const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(key, path, text));
  const subject = path.length === 0 ? "the file" : `"${path.join(".")}"`;
  const position = text.positionOfValue(path);
  const problem = (message: string, hint?: string): Problem[] => [
    { code: "WORKSPACE_INVALID", message, position, hint },
  ];
  if (issue.code === "invalid_key") {
    const inner = issue.issues[0]?.message ?? "is not a valid name";
    return [
      {
        code: "WORKSPACE_INVALID",
        message: `key ${subject} ${inner}`,
        position: text.positionOf(path),
        hint: "Rename it.",
      },
    ];
  }
  if (issue.code === "invalid_type" || issue.code === "invalid_union")
    return describeType(issue, path, text, subject);
  if (issue.code === "invalid_value") {
    const allowed = issue.values.map(String);
    const typed = text.sourceOf(path);
    const near = typed === undefined ? undefined : suggestName(typed, allowed);
    return problem(
      typed === undefined ? `${subject} is not one of the allowed values` : `${subject} is "${typed}"`,
      near === undefined
        ? `Write one of: ${allowed.join(", ")}.`
        : `Did you mean "${near}"? Allowed: ${allowed.join(", ")}.`,
    );
  }
  return problem(`${subject} ${lowerFirst(issue.message)}`, "Correct the value.");
}

function describeType(
  issue: core.$ZodIssue,
  path: readonly (string | number)[],
  text: YamlText,
  subject: string,
): Problem[] {
  const position = text.positionOfValue(path);
  const typed = text.sourceOf(path);
  const expected = issue.code === "invalid_type" ? issue.expected : "string";
  const last = path.at(-1);
  if (typeof last === "string" && issue.code === "invalid_type" && !text.has(path)) {
    return [
      {
        code: "WORKSPACE_INVALID",
        message: `"${path.slice(0, -1).join(".")}" lacks the key "${last}"`,
        position: text.positionOf(path),
        hint: "Add it.",
      },
    ];
  }
  if (expected === "string" && typed !== undefined && /^[\d.]+$/.test(typed)) {
    return [
      {
        code: "WORKSPACE_INVALID",
        message: `${subject} is a number where text is needed`,
        position,
        hint: `Put it in quotes: "${typed}".`,
      },
    ];
  }
  const wanted =
    issue.code === "invalid_union" ? "in none of the allowed forms" : `not ${NAMES[expected] ?? expected}`;
  return [
    {
      code: "WORKSPACE_INVALID",
      message:
        typed === "" || typed === undefined
          ? `${subject} is ${wanted}`
          : `${subject} is ${wanted}: "${typed}"`,
      position,
      hint: "See the example in `toolbox init --help`.",
    },
  ];
}

const NAMES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  object: "a mapping of keys to values",
  record: "a mapping of keys to values",
  string: "text",
};

function unknownKey(key: string, path: readonly (string | number)[], text: YamlText): Problem {
  const known = knownKeys(path);
  const near = suggestName(key, known);
  const place = path.length === 0 ? "" : ` in "${path.join(".")}"`;
  return {
    code: "WORKSPACE_INVALID",
    message: `key "${key}"${place} is unknown`,
    position: text.positionOf([...path, key]),
    hint: near === undefined ? `Keys here: ${known.join(", ")}.` : `Did you mean "${near}"?`,
  };
}

/** The parts of JSON Schema that lead from the top to the keys allowed at one place. */
interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
}

function knownKeys(path: readonly (string | number)[]): string[] {
  let nodes: readonly SchemaNode[] = [workspaceJsonSchema()];
  for (const step of path) nodes = nodes.flatMap(branches).flatMap((node) => child(node, step));
  const names = nodes.flatMap(branches).flatMap((node) => Object.keys(node.properties ?? {}));
  return [...new Set(names)].filter((name) => name !== "$schema");
}

function branches(node: SchemaNode): readonly SchemaNode[] {
  return [node, ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap(branches)];
}

function child(node: SchemaNode, step: string | number): SchemaNode[] {
  if (typeof step === "number") return node.items === undefined ? [] : [node.items];
  const named = node.properties?.[step];
  if (named !== undefined) return [named];
  return typeof node.additionalProperties === "object" ? [node.additionalProperties] : [];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
