// SPDX-License-Identifier: Apache-2.0

/** One thing that `toolbox doctor` looked at. */
export interface Finding {
  /** What was looked at: `engine docker`. A word that scripts can go by. */
  readonly check: string;
  /** `broken`: commands fail, or run what they should not. `warning`: something may surprise. */
  readonly state: "fine" | "warning" | "broken";
  /** One sentence without a full stop. */
  readonly message: string;
  /** One imperative sentence. Absent: there is nothing to do. */
  readonly cure?: string | undefined;
}

/** A finding with nothing to do. */
export function fine(check: string, message: string): Finding {
  return { check, state: "fine", message };
}
