// SPDX-License-Identifier: Apache-2.0
import { finishAccounts } from "./finish/finish-accounts.ts";
import { finishBaseFiles } from "./finish/finish-base-files.ts";
import { finishCertificates } from "./finish/finish-certificates.ts";
import { finishPam } from "./finish/finish-pam.ts";
import { finishShells } from "./finish/finish-shells.ts";
import type { FinishStep } from "./finish/finish-step.ts";

/** What the maintainer scripts of a package set would do, step by step and without running one. */
export const FINISH_STEPS: readonly FinishStep[] = [
  finishBaseFiles,
  finishAccounts,
  finishShells,
  finishPam,
  finishCertificates,
];
