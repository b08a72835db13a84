// SPDX-License-Identifier: Apache-2.0

/** The signals that a wrapper passes on; the others end or stop it as they would any process. */
export const FORWARDED_SIGNALS = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;

/** One of {@link FORWARDED_SIGNALS}. */
export type ForwardedSignal = (typeof FORWARDED_SIGNALS)[number];

/** Tells of signals that this process receives. While somebody listens, they do not end it. */
export interface SignalSource {
  /** Returns the function that stops listening. */
  listen(onSignal: (signal: ForwardedSignal) => void): () => void;
}

/** The signals of this very process. */
export const processSignals: SignalSource = {
  listen(onSignal) {
    for (const signal of FORWARDED_SIGNALS) process.on(signal, onSignal);
    return () => {
      for (const signal of FORWARDED_SIGNALS) process.off(signal, onSignal);
    };
  },
};
