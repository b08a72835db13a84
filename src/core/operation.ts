// SPDX-License-Identifier: Apache-2.0

/**
 * What long operations report. `total` and `done` count bytes, or what `counted` names in the plural ("packages");
 * `total` is absent when unknown.
 */
export type ProgressEvent =
  | {
      readonly type: "started";
      readonly what: string;
      readonly total?: number | undefined;
      readonly counted?: string | undefined;
    }
  | { readonly type: "advanced"; readonly what: string; readonly done: number }
  | { readonly type: "finished"; readonly what: string; readonly skipped: boolean }
  | { readonly type: "noted"; readonly what: string; readonly note: string };

/** Accepted by every function that does I/O. */
export interface OperationOptions {
  /** Aborts the work; the returned promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Called synchronously; must not throw. `what` is stable for one piece of work and fit for people. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}
