// SPDX-License-Identifier: Apache-2.0

/** How many at once, and what stops them all. */
export interface ConcurrencyOptions {
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` on each item, at most `limit` at once.
 * The first failure aborts the others, and is thrown only after they have all ended.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  { limit, signal }: ConcurrencyOptions,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const queue = [...items].values();
  const runWorker = async (): Promise<void> => {
    for (const item of queue) {
      either.throwIfAborted();
      await work(item, either);
    }
  };
  const workers = Array.from({ length: limit }, async () => {
    try {
      await runWorker();
    } catch (error) {
      failed.abort(error);
    }
  });
  await Promise.all(workers);
  failed.signal.throwIfAborted();
}

/** Like {@link forEachConcurrently}; the results stand in the order of `items`. */
export async function mapConcurrently<T, R>(
  items: Iterable<T>,
  options: ConcurrencyOptions,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  await forEachConcurrently([...items].entries(), options, async ([index, item], signal) => {
    results[index] = await work(item, signal);
  });
  return results;
}
