// SPDX-License-Identifier: Apache-2.0
import { normalizeProject } from "./project-name.ts";
import { parseSpecifiers, satisfiesSpecifiers } from "./specifier.ts";
import { parsePythonVersion } from "./version.ts";

/** Values of the variables of a marker, such as `python_version`. */
export type MarkerEnvironment = Readonly<Record<string, string>>;

/** A parsed environment marker (PEP 508). */
export type Marker =
  | { readonly kind: "and" | "or"; readonly left: Marker; readonly right: Marker }
  | { readonly kind: "compare"; readonly left: Operand; readonly operator: string; readonly right: Operand };

/** One side of a comparison. */
interface Operand {
  readonly isVariable: boolean;
  readonly text: string;
}

const TOKEN =
  /\s*(?:(\(|\))|('[^']*'|"[^"]*")|(===|~=|==|!=|<=|>=|<|>)|(not\s+in\b|in\b|and\b|or\b)|([A-Za-z_][A-Za-z0-9_.]*))/y;

/** Spellings from before PEP 508 that old releases still use. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  "os.name": "os_name",
  "platform.machine": "platform_machine",
  "platform.python_implementation": "platform_python_implementation",
  "platform.version": "platform_version",
  python_implementation: "platform_python_implementation",
  "sys.platform": "sys_platform",
};

const VARIABLES: ReadonlySet<string> = new Set([
  "extra",
  "implementation_name",
  "implementation_version",
  "os_name",
  "platform_machine",
  "platform_python_implementation",
  "platform_release",
  "platform_system",
  "platform_version",
  "python_full_version",
  "python_version",
  "sys_platform",
]);

/** Reads a marker. Absent: it is malformed, or uses a variable that PEP 508 does not know. */
export function parseMarker(text: string): Marker | undefined {
  const tokens = tokenize(text);
  if (tokens === undefined) return undefined;
  const rest = [...tokens];
  const marker = parseOr(rest);
  return rest.length === 0 ? marker : undefined;
}

/** Whether a marker holds. A comparison that makes no sense for its values does not. */
export function evaluateMarker(marker: Marker, environment: MarkerEnvironment): boolean {
  if (marker.kind !== "compare") {
    const left = evaluateMarker(marker.left, environment);
    if (left === (marker.kind === "or")) return left;
    return evaluateMarker(marker.right, environment);
  }
  const { left, operator, right } = marker;
  const isExtra = [left, right].some((operand) => operand.isVariable && operand.text === "extra");
  const [a, b] = [left, right].map((operand) => {
    const value = operand.isVariable ? (environment[operand.text] ?? "") : operand.text;
    return isExtra ? normalizeProject(value) : value;
  });
  return compareValues(a ?? "", operator, b ?? "");
}

/** Versions are compared as versions where both sides are some, and as text otherwise. */
function compareValues(a: string, operator: string, b: string): boolean {
  if (operator === "in") return b.includes(a);
  if (operator === "not in") return !b.includes(a);
  const specifiers = parseSpecifiers(`${operator}${b}`);
  if (specifiers !== undefined && b !== "") {
    const version = parsePythonVersion(a);
    return version !== undefined && satisfiesSpecifiers(version, specifiers);
  }
  return compareTexts(a, operator, b);
}

function compareTexts(a: string, operator: string, b: string): boolean {
  if (operator === "==" || operator === "===") return a === b;
  if (operator === "!=") return a !== b;
  if (operator === "<") return a < b;
  if (operator === "<=") return a <= b;
  if (operator === ">") return a > b;
  return operator === ">=" && a >= b;
}

type Token =
  | { readonly kind: "bracket" | "operator" | "word"; readonly text: string }
  | { readonly kind: "operand"; readonly operand: Operand };

function tokenize(text: string): readonly Token[] | undefined {
  const source = text.trim();
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const match = TOKEN.exec(source);
    const token = match === null ? undefined : toToken(match);
    if (token === undefined) return undefined;
    tokens.push(token);
  }
  return tokens;
}

function toToken([, bracket, quoted, sign, word, name]: RegExpExecArray): Token | undefined {
  if (bracket !== undefined) return { kind: "bracket", text: bracket };
  if (quoted !== undefined) return operandOf(quoted.slice(1, -1), false);
  if (sign !== undefined) return { kind: "operator", text: sign };
  if (word === "and" || word === "or") return { kind: "word", text: word };
  if (word !== undefined) return { kind: "operator", text: word.replace(/\s+/, " ") };
  const variable = OLD_NAMES[name ?? ""] ?? name ?? "";
  return VARIABLES.has(variable) ? operandOf(variable, true) : undefined;
}

function operandOf(text: string, isVariable: boolean): Token {
  return { kind: "operand", operand: { isVariable, text } };
}

function parseOr(tokens: Token[]): Marker | undefined {
  return parseChain(tokens, "or", parseAnd);
}

function parseAnd(tokens: Token[]): Marker | undefined {
  return parseChain(tokens, "and", parseAtom);
}

function parseChain(
  tokens: Token[],
  kind: "and" | "or",
  parsePart: (tokens: Token[]) => Marker | undefined,
): Marker | undefined {
  let left = parsePart(tokens);
  while (left !== undefined && takeIf(tokens, "word", kind)) {
    const right = parsePart(tokens);
    left = right === undefined ? undefined : { kind, left, right };
  }
  return left;
}

function parseAtom(tokens: Token[]): Marker | undefined {
  if (takeIf(tokens, "bracket", "(")) {
    const inner = parseOr(tokens);
    return takeIf(tokens, "bracket", ")") ? inner : undefined;
  }
  const [left, operator, right] = tokens.splice(0, 3);
  if (left?.kind !== "operand" || operator?.kind !== "operator" || right?.kind !== "operand")
    return undefined;
  return { kind: "compare", left: left.operand, operator: operator.text, right: right.operand };
}

function takeIf(tokens: Token[], kind: Token["kind"], text: string): boolean {
  const [token] = tokens;
  if (token === undefined || token.kind === "operand" || token.kind !== kind || token.text !== text)
    return false;
  tokens.shift();
  return true;
}
