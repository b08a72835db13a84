// SPDX-License-Identifier: Apache-2.0
import { ARGUMENT_CASES } from "./argument-cases.ts";
import { CALLER_CASES } from "./caller-cases.ts";
import type { ContractArea } from "./contract-case.ts";
import { ENVIRONMENT_CASES } from "./environment-cases.ts";
import { PERSON_CASES } from "./person-cases.ts";
import { SIGNAL_CASES } from "./signal-cases.ts";

/** What holds of every command on every engine: the rows of the table in docs/engines.md. */
export const CONTRACT: readonly ContractArea[] = [
  { title: "Arguments, streams, exit codes", cases: ARGUMENT_CASES },
  { title: "Signals and terminals", cases: SIGNAL_CASES },
  { title: "The person and the place", cases: PERSON_CASES },
  { title: "Environment, credentials, limits", cases: ENVIRONMENT_CASES },
  { title: "Called by other programs", cases: CALLER_CASES },
];
