// SPDX-License-Identifier: Apache-2.0
import type { Caller, EngineBench, SessionResult } from "../engine-bench.ts";
import type { ContractUser } from "../engine-list.ts";
import type { DifferenceName } from "./contract-difference.ts";

/** One engine and one user, for one case after the other. */
export interface ContractRun {
  readonly engine: string;
  readonly user: ContractUser;
  readonly bench: EngineBench;
  /** Who calls. */
  readonly caller: Caller;
  /** What `id` says inside. */
  readonly inside: Caller;
  /** Whether the case must find this difference in place of the rule. */
  readonly differs: (name: DifferenceName) => boolean;
  /** What a command prints that must succeed and be silent on stderr. */
  readonly textOf: (argv: readonly string[], options?: Parameters<EngineBench["run"]>[1]) => Promise<string>;
}

/** One row of the contract's table: what holds whichever engine runs the command. */
export interface ContractCase {
  /** Ends the sentence "a command ...". */
  readonly title: string;
  /** A machine that lacks these programs cannot try the case. Absent: every machine can. */
  readonly needs?: readonly string[];
  run(run: ContractRun): Promise<void>;
}

/** Rows that belong together. */
export interface ContractArea {
  readonly title: string;
  readonly cases: readonly ContractCase[];
}

/** What matters of a command's end when it is compared. */
export function summary({ code, stdout, stderr }: SessionResult): {
  code: number;
  stdout: string;
  stderr: string;
} {
  return { code, stdout: stdout.toString("utf8"), stderr };
}
