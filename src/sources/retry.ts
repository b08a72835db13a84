// SPDX-License-Identifier: Apache-2.0
import { parseRetryAfter } from "../core/temporary-failure.ts";

const FIRST_DELAY = 250;
const LONGEST_DELAY = 30_000;
const LONGEST_ASKED_DELAY = 60_000;

/** Whether `code` means that the server's certificate was not accepted. */
export function isCertificateCode(code: string | undefined): boolean {
  return code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS/.test(code);
}

/** What {@link delayBefore} looks at. */
export interface DelayOptions {
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly now: () => Date;
  /** The `Retry-After` header of the answer, RFC 9110 section 10.2.3. Absent: none was sent. */
  readonly retryAfter?: string | undefined;
}

/**
 * Milliseconds to wait before try number `attempt` (the first retry is 1): what the server asks for, at most
 * a minute; else 250 ms doubled each time with full jitter, at most 30 s.
 */
export function delayBefore(attempt: number, { random, now, retryAfter }: DelayOptions): number {
  const asked = parseRetryAfter(retryAfter, now());
  if (asked !== undefined) return Math.min(asked, LONGEST_ASKED_DELAY);
  return Math.round(random() * Math.min(FIRST_DELAY * 2 ** (attempt - 1), LONGEST_DELAY));
}
