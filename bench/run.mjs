// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * `npm run bench -- [OPTION]... [PART]...`: gets the peers, measures, prints each goal with its number and verdict, and
 * writes bench/results.json, bench/report.html, bench/plots/ and the tables of README.md.
 *
 *   --rounds N   timed rounds; fewer than five give no verdicts. Default: 5
 *   --arm64      also the base for the other CPU, ten minutes under qemu
 *   --quick      only what does not depend on the machine, in a minute; writes nothing
 *   --report     only write the report again, from bench/results.json
 *
 * What was measured before of parts that are not named is kept, with its date, unless another machine measured it.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { unmountBelow } from "./harness/docker-daemon.mjs";
import { installPeers } from "./harness/install.mjs";
import { describeMachine, isSameMachine } from "./harness/machine.mjs";
import { interrupt } from "./harness/processes.mjs";
import { judgeGoals } from "./goals.mjs";
import { PARTS } from "./parts.mjs";
import { runChecks } from "./quick.mjs";
import { printVerdicts } from "./report/verdicts.mjs";
import { writeReport } from "./report/write-report.mjs";

const RESULTS = join(import.meta.dirname, "results.json");

/** @typedef {{ parts: Record<string, any>, goals: import("./goals.mjs").Verdict[] }} ResultsFile */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    arm64: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    report: { type: "boolean", default: false },
  },
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, interrupt);
process.exitCode = await main();

async function main() {
  const unknown = positionals.find((name) => !(name in PARTS));
  if (unknown !== undefined) {
    console.error(`"${unknown}" is no part of the bench; choose from:`);
    for (const [name, { about }] of Object.entries(PARTS)) console.error(`  ${name.padEnd(12)} ${about}`);
    return 2;
  }
  if (values.quick) return await check();
  const results = await readResults();
  const names = positionals.length > 0 ? positionals : Object.keys(PARTS);
  if (!values.report) await measure(results, names);
  results.goals = judgeGoals(results.parts);
  await writeReport(results, import.meta.dirname);
  printVerdicts(results, names);
  return 0;
}

/** Gives the exit code. */
async function check() {
  const checks = await inScratch(async (scratch) => runChecks(scratch, say));
  for (const { what, value, bound } of checks)
    say(
      `${value <= bound ? "ok    " : "NOT OK"} ${what}: ${Number(value.toPrecision(4))}, at most ${Number(bound.toPrecision(4))}`,
    );
  return checks.every(({ value, bound }) => value <= bound) ? 0 : 1;
}

/** @param {ResultsFile} results @param {readonly string[]} names */
async function measure(results, names) {
  const startedAt = performance.now();
  const programs = await installPeers(say);
  const here = describeMachine();
  results.parts = Object.fromEntries(
    Object.entries(results.parts).filter(([, { machine }]) => isSameMachine(machine, here)),
  );
  for (const name of names) {
    say(`--- ${name}: ${PARTS[name]?.about}`);
    const began = performance.now();
    const machine = describeMachine();
    const found = await inScratch(async (scratch) =>
      PARTS[name]?.run({ scratch, rounds: Number(values.rounds), arm64: values.arm64, programs, log: say }),
    );
    const seconds = Math.round((performance.now() - began) / 1000);
    results.parts[name] = { machine, seconds, loadAfter: describeMachine().load, ...found };
    results.goals = judgeGoals(results.parts);
    // After each part: what was measured is not lost when the next one fails.
    await writeFile(RESULTS, `${JSON.stringify(results, undefined, 1)}\n`);
  }
  say(`all of it took ${Math.round((performance.now() - startedAt) / 60_000)} minutes`);
}

/** @returns {Promise<ResultsFile>} */
async function readResults() {
  const text = await readFile(RESULTS, "utf8").catch(() => "{}");
  return { parts: {}, goals: [], ...JSON.parse(text) };
}

/** A folder on the disk of TMPDIR that is there for as long as the work. @template T @param {(scratch: string) => Promise<T>} work */
async function inScratch(work) {
  const scratch = await mkdtemp(join(tmpdir(), "toolbox-bench-"));
  try {
    return await work(scratch);
  } finally {
    unmountBelow(scratch);
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @param {string} line */
function say(line) {
  console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
}
