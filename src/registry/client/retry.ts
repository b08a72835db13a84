// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from "node:timers/promises";

/** Bounds on trying again. Durations are milliseconds. */
export interface RetryPolicy {
  /** Requests in all, the first one too. */
  readonly tries: number;
  readonly firstDelay: number;
  readonly longestDelay: number;
  /** Longest wait that a registry may ask for. */
  readonly longestAsked: number;
  /** No new try after this long. */
  readonly budget: number;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  tries: 5,
  firstDelay: 250,
  longestDelay: 30_000,
  longestAsked: 60_000,
  budget: 300_000,
};

/** Counts the tries of one request. */
export class RetryClock {
  readonly #policy: RetryPolicy;
  readonly #started = performance.now();
  #tries = 1;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
  }

  /**
   * Milliseconds to wait before the next try, the whole of a doubling span at random.
   *
   * @param asked What the registry asked for.
   * @returns `undefined` when there shall be no other try
   */
  next(asked: number | undefined): number | undefined {
    const { tries, firstDelay, longestDelay, longestAsked, budget } = this.#policy;
    if (this.#tries >= tries) return undefined;
    const span = Math.min(longestDelay, firstDelay * 2 ** this.#tries);
    this.#tries += 1;
    const delay = asked === undefined ? Math.random() * span : Math.min(asked, longestAsked);
    return performance.now() - this.#started + delay > budget ? undefined : delay;
  }
}

/** Waits; an abort ends the wait with the reason of the signal. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
