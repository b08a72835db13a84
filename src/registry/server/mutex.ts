// SPDX-License-Identifier: Apache-2.0
import { makeDeferred } from "./deferred.ts";

/** Runs pieces of work that share a key one after another; different keys do not wait for each other. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const turn = makeDeferred();
    const tail = before.then(async () => turn.promise);
    this.#tails.set(key, tail);
    await before;
    try {
      return await work();
    } finally {
      turn.resolve();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
