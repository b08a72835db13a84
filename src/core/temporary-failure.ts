// SPDX-License-Identifier: Apache-2.0

const TEMPORARY_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

const TEMPORARY_CODES: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "EMFILE",
  "ENETUNREACH",
  "ENFILE",
  "EPIPE",
  "ETIMEDOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
  "UND_ERR_SOCKET",
]);

/** Whether the same HTTP request may succeed a little later, going by the status of its answer. */
export function isTemporaryStatus(status: number): boolean {
  return TEMPORARY_STATUSES.has(status);
}

/** Whether a connection failed in a way that may pass. Certificates that are not trusted do not. */
export function isTemporaryFailure(error: unknown): boolean {
  if (error instanceof AggregateError && !("code" in error)) return error.errors.some(isTemporaryFailure);
  const code = failureCodeOf(error);
  return code !== undefined && (TEMPORARY_CODES.has(code) || code.startsWith("HPE_"));
}

/** The system or library code of a network error, found behind wrappers too. Absent: it has none. */
export function failureCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error instanceof AggregateError) return failureCodeOf(error.errors[0]);
  return failureCodeOf(error.cause);
}

/**
 * What a `Retry-After` header asks for, in milliseconds: seconds or a date (RFC 9110, section 10.2.3).
 * Absent: there is none, or it cannot be read.
 */
export function parseRetryAfter(header: string | undefined, now: Date): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = /[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}
