// SPDX-License-Identifier: Apache-2.0
import type { Platform } from "../core/platform.ts";

/** What came of one check. */
export type CheckOutcome =
  | { readonly state: "passed" }
  | {
      readonly state: "failed";
      /** At least one; each fits behind "because". */
      readonly reasons: readonly string[];
      /** The last lines of what the command printed. */
      readonly output: readonly string[];
    }
  | { readonly state: "not-run"; readonly reason: string };

/** One check of one image on one platform. */
export interface CheckResult {
  /** The image as it was asked for. */
  readonly image: string;
  readonly platform: Platform;
  readonly tool: string;
  readonly name: string;
  /** Empty when there is nothing to run. */
  readonly command: readonly string[];
  readonly outcome: CheckOutcome;
  /** 0 for what did not run. */
  readonly milliseconds: number;
}

/** How many results there are of each kind. */
export function countResults(results: readonly CheckResult[]): {
  readonly passed: number;
  readonly failed: number;
  readonly notRun: number;
} {
  const count = (state: CheckOutcome["state"]): number =>
    results.filter(({ outcome }) => outcome.state === state).length;
  return { passed: count("passed"), failed: count("failed"), notRun: count("not-run") };
}

/**
 * Whether the run counts as good: nothing failed and something passed. What could not run is no failure (a laptop need
 * not have an emulator), unless all was required to run.
 */
export function isGreen(
  results: readonly CheckResult[],
  { requireAll }: { readonly requireAll: boolean },
): boolean {
  const { passed, failed, notRun } = countResults(results);
  return passed > 0 && failed === 0 && (notRun === 0 || !requireAll);
}
