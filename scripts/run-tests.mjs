// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * `npm test`: builds, runs the test projects one after the other and closes with one plain line,
 * `N passed, N failed`. Exit code 0 only when at least one test ran and none failed.
 *
 * usage: node scripts/run-tests.mjs [--no-build] [PROJECT]...
 *   PROJECT is unit, conformance, e2e, alone (default: these four); or cluster, which first compiles a Kubernetes API
 *   server; or images, which first compiles this project's images and syft
 *
 * A test whose program is absent (docker, qemu, ...) skips itself on a laptop. Where CI=true every program is
 * expected to be there, so a skipped test counts as failed; but for those that need what cannot be had everywhere, and
 * say so in their name. They are listed as not run.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const USUAL = ["unit", "conformance", "e2e", "alone"];
const ALL = [...USUAL, "cluster", "images"];

/** What a test may need that no machine is expected to have, as it stands in the test's name. */
const ELSEWHERE = ["(needs TOOLBOX_ZOT)"];

/** @typedef {{ passed: number, failed: number, skipped: string[] }} Count */

const operands = process.argv.slice(2).filter((word) => word !== "--no-build");
const projects = operands.length > 0 ? operands : USUAL;
process.exitCode = await main();

async function main() {
  const unknown = projects.find((name) => !ALL.includes(name));
  if (unknown !== undefined) {
    console.error(`"${unknown}" is not a test project; choose from: ${ALL.join(", ")}`);
    return 2;
  }
  const startedAt = performance.now();
  if (!process.argv.includes("--no-build") && (await run("npm", ["run", "--silent", "build"])) !== 0) {
    console.log("the build failed, so no test ran");
    return close({ passed: 0, failed: 1, skipped: [] });
  }
  /** @type {Count} */
  const total = { passed: 0, failed: 0, skipped: [] };
  for (const project of projects) {
    const count = await runProject(project);
    console.log(
      `${project}: ${count.passed} passed, ${count.failed} failed, ${count.skipped.length} skipped\n`,
    );
    total.passed += count.passed;
    total.failed += count.failed;
    total.skipped.push(...count.skipped);
  }
  console.log(`all tests took ${Math.round((performance.now() - startedAt) / 1000)} s`);
  return close(total);
}

/** @param {string} name */
function isElsewhere(name) {
  return ELSEWHERE.some((need) => name.endsWith(need));
}

/** @param {Count} total */
function close({ passed, failed, skipped }) {
  const strict = process.env["CI"] === "true";
  const missing = skipped.filter((name) => !isElsewhere(name));
  for (const name of skipped.filter(isElsewhere)) console.log(`not run: ${name}`);
  for (const name of missing) console.log(`${strict ? "failed because it was skipped" : "skipped"}: ${name}`);
  const failures = failed + (strict ? missing.length : 0);
  console.log(`${passed} passed, ${failures} failed`);
  return failures === 0 && passed > 0 ? 0 : 1;
}

/**
 * @param {string} project
 * @returns {Promise<Count>}
 */
async function runProject(project) {
  const folder = await mkdtemp(join(tmpdir(), "toolbox-tests-"));
  try {
    const report = join(folder, "report.json");
    const vitest = join(ROOT, "node_modules", "vitest", "vitest.mjs");
    const readable = project === "unit" ? "default" : "verbose";
    const code = await run(process.execPath, [
      vitest,
      "run",
      "--project",
      project,
      `--reporter=${readable}`,
      "--reporter=json",
      `--outputFile.json=${report}`,
    ]);
    if (!existsSync(report)) return { passed: 0, failed: 1, skipped: [] };
    return count(JSON.parse(await readFile(report, "utf8")), code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Counts tests, and what is no test but went wrong all the same: a file that does not load, an error outside of
 * any test.
 *
 * @param {{ testResults: { name: string, status: string, assertionResults: { status: string, fullName: string }[] }[] }} report
 * @param {number} code
 * @returns {Count}
 */
function count({ testResults }, code) {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === "passed").length;
  const failedTests = tests.filter(({ status }) => status === "failed").length;
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((result) => result.status === "failed"),
  ).length;
  const failed = failedTests + brokenFiles;
  const skipped = tests
    .filter(({ status }) => status !== "passed" && status !== "failed")
    .map(({ fullName }) => fullName);
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed, skipped };
}

/**
 * Runs a program to its end with our own output; Ctrl-C reaches it by the terminal's process group.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {Promise<number>}
 */
async function run(program, args) {
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}
