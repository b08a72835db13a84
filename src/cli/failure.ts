// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { EXIT_CODES, exitCodeOf } from "./exit-code.ts";

/** An error as people and scripts see it. */
export interface Failure {
  /** For stderr. */
  readonly lines: readonly string[];
  /** For stdout under `--json`. */
  readonly json: { readonly error: FailureReport };
  readonly exitCode: number;
}

/** The `error` member of a JSON failure. */
export interface FailureReport {
  /** An `ErrorCode`, or `INTERRUPTED`, or `INTERNAL_ERROR`. */
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly position?: { readonly file: string; readonly line: number; readonly column: number } | undefined;
  /** All problems, the first included, when there are several. */
  readonly problems?: readonly FailureReport[] | undefined;
}

/** What a signal that arrived aborts the work with. */
export class Interruption extends Error {
  override readonly name = "AbortError";
  readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP";

  constructor(signal: "SIGINT" | "SIGTERM" | "SIGHUP") {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** Optional parts of {@link describeFailure}. */
export interface DescribeFailureOptions {
  /** Adds the stack of foreseen errors as well. */
  readonly debug?: boolean;
  /** Why the work was aborted, if it was: whatever broke afterwards broke because of it. */
  readonly aborted?: unknown;
}

/** Foreseen errors read as advice; unforeseen ones keep their stack, because they are our bugs. */
export function describeFailure(
  error: unknown,
  { debug = false, aborted }: DescribeFailureOptions = {},
): Failure {
  const interruption = [aborted, error].find((reason) => reason instanceof Interruption);
  if (interruption !== undefined) return describeInterruption(interruption);
  if (error instanceof ToolingError) return describeForeseen(error, debug);
  if (error instanceof Error && error.name === "AbortError")
    return describeInterruption(new Interruption("SIGINT"));
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : String(error);
  return {
    lines: [`internal error, please report it: ${stack}`],
    json: { error: { code: "INTERNAL_ERROR", message, hint: "Please report it." } },
    exitCode: EXIT_CODES.unforeseen,
  };
}

function describeInterruption({ signal }: Interruption): Failure {
  const exitCode = { SIGHUP: 129, SIGINT: EXIT_CODES.interrupted, SIGTERM: EXIT_CODES.terminated }[signal];
  return {
    lines: ["interrupted"],
    json: { error: { code: "INTERRUPTED", message: `interrupted by ${signal}` } },
    exitCode,
  };
}

function describeForeseen(error: ToolingError, debug: boolean): Failure {
  const problems = error.cause instanceof AggregateError ? error.cause.errors.filter(isForeseen) : [];
  const shown = problems.length > 1 ? problems : [error];
  const stack = debug && error.stack !== undefined ? [error.stack, ...causes(error)] : [];
  return {
    lines: [...shown.flatMap(linesOf), ...stack],
    json: {
      error: { ...reportOf(error), problems: problems.length > 1 ? problems.map(reportOf) : undefined },
    },
    exitCode: exitCodeOf(error.code),
  };
}

function isForeseen(error: unknown): error is ToolingError {
  return error instanceof ToolingError;
}

function linesOf({ code, message, hint, position }: ToolingError): string[] {
  const where = position === undefined ? "" : `${position.file}:${position.line}:${position.column}: `;
  return [
    `error: ${where}${oneLine(message)} [${code}]`,
    ...(hint === undefined ? [] : [`hint:  ${oneLine(hint)}`]),
  ];
}

function reportOf({ code, message, hint, position }: ToolingError): FailureReport {
  return { code, message, hint, position };
}

function causes(error: Error): string[] {
  const { cause } = error;
  return cause instanceof Error ? [`caused by: ${cause.stack ?? cause.message}`, ...causes(cause)] : [];
}

/** Messages quote what others wrote: no control character of theirs may reach the terminal. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this removes
  return text.replaceAll(/[\u0000-\u001F\u007F-\u009F]+/g, " ");
}
