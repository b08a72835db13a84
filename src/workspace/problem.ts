// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, type SourcePosition, ToolingError } from "../core/error.ts";

/** One thing wrong with a file that people wrote. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly position: SourcePosition;
  readonly hint?: string | undefined;
}

/**
 * One error for all problems of a file: it reads as the first one, in file order. When there are more, its
 * `cause` is an `AggregateError` that holds every one of them, the first included.
 */
export function problemsError(problems: readonly Problem[]): ToolingError {
  const errors = problems
    .toSorted((a, b) => a.position.line - b.position.line || a.position.column - b.position.column)
    .map(({ code, message, hint, position }) => new ToolingError(code, message, { hint, position }));
  const [first] = errors;
  if (first === undefined) throw new RangeError("no problems to report");
  if (errors.length === 1) return first;
  return new ToolingError(first.code, first.message, {
    hint: first.hint,
    position: first.position,
    cause: new AggregateError(errors, `${errors.length} problems`),
  });
}
