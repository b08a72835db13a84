// SPDX-License-Identifier: Apache-2.0

/** A promise that somebody else resolves. */
export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
}

export function makeDeferred(): Deferred {
  const waiting: (() => void)[] = [];
  const promise = new Promise<void>((resolve) => {
    waiting.push(resolve);
  });
  return { promise, resolve: () => waiting.pop()?.() };
}
