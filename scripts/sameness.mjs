// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * `npm run sameness`: builds the same locks on many hosts that are made out of this machine, and compares the digests of
 * the indexes. Hosts differ in folder, user, home, host name, umask, language, time zone, CPUs, Node.js, the order in
 * which files are listed, and in being arm64; docs/sameness.md tells more. On a difference it shows where, by
 * `toolbox diff`, and ends with 1.
 *
 * usage: node scripts/sameness.mjs [--quick] [--compile] [--workspace FOLDER] [--host NAME]... [--other FOLDER]
 *   [--require-all] [--write]     (after a build)
 *   --quick        a workspace without Go programs, and the host that differs in everything at once
 *   --workspace    the one in this folder, and no emulated host
 *   --compile      compile the Go programs of the images once more, on plain-user
 *   --host         only this one beside the first; may be repeated
 *   --other        one host more, on which another build of this package is used, in FOLDER
 *   --require-all  a host that could not be run is a failure
 *   --write        put the tables into docs/sameness.md
 */
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { HOSTS, OTHER_PROGRAM, QUICK_HOSTS } from "./sameness/hosts.mjs";
import {
  digestRows,
  findDifferences,
  formatColumns,
  formatMarkdown,
  tableRows,
} from "./sameness/results.mjs";
import { runHosts } from "./sameness/run-hosts.mjs";
import { givenWorkspace, QUICK_WORKSPACE, WORKSPACES } from "./sameness/workspaces.mjs";

/** @typedef {import("./sameness/results.mjs").HostResult} HostResult */

const ROOT = dirname(import.meta.dirname);
const PAGE = join(ROOT, "docs", "sameness.md");
const START = "<!-- results: written by `npm run sameness -- --write` -->";
const END = "<!-- /results -->";

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    compile: { type: "boolean", default: false },
    workspace: { type: "string" },
    host: { type: "string", multiple: true, default: [] },
    other: { type: "string" },
    "require-all": { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const isAsked = options.host.length > 0 || options.other !== undefined;
const isSmall = options.quick || options.workspace !== undefined;
const isPart = isAsked || isSmall;
const interruption = new AbortController();
for (const name of /** @type {const} */ (["SIGINT", "SIGTERM"]))
  process.once(name, () => interruption.abort(new Error(`interrupted by ${name}`)));
process.exitCode = await main();

async function main() {
  const unknown = options.host.find((name) => !HOSTS.some((host) => host.name === name));
  if (unknown !== undefined) {
    console.error(`there is no host "${unknown}"; choose from: ${HOSTS.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  if (options.write && isPart) {
    console.error("--write is for a run of everything, without --quick, --workspace, --host and --other");
    return 2;
  }
  const work = await mkdtemp(join(tmpdir(), "toolbox-sameness-"));
  try {
    await chmod(work, 0o755);
    const results = await runHosts(chooseHosts(), {
      root: ROOT,
      work,
      otherRoot: options.other === undefined ? undefined : resolve(options.other),
      workspaces: chooseWorkspaces(),
      compile: options.compile,
      signal: interruption.signal,
      say: (line) => console.error(line),
    });
    return await report(results);
  } catch (error) {
    const { aborted, reason } = interruption.signal;
    console.error(describe(aborted ? reason : error));
    return aborted ? 130 : 1;
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }
}

function chooseWorkspaces() {
  if (options.workspace !== undefined) return [givenWorkspace(resolve(options.workspace))];
  return options.quick ? [QUICK_WORKSPACE] : WORKSPACES;
}

function chooseHosts() {
  const [first, ...others] = HOSTS;
  if (first === undefined) throw new Error("there are no hosts");
  const names = options.quick && !isAsked ? QUICK_HOSTS : options.host;
  const wanted = others.filter(({ name, emulated }) =>
    isAsked || names.length > 0 ? names.includes(name) : !(isSmall && emulated),
  );
  return [first, ...wanted, ...(options.other === undefined ? [] : [OTHER_PROGRAM])];
}

/** @param {unknown} error */
function describe(error) {
  return error instanceof Error ? error.message : String(error);
}

/** @param {readonly HostResult[]} results */
function listNames(results) {
  return results.map(({ name }) => name).join(", ");
}

/** @param {readonly HostResult[]} results */
async function report(results) {
  const workspaces = chooseWorkspaces().map(({ name }) => name);
  for (const table of [tableRows(results, workspaces, { seconds: true }), digestRows(results)])
    console.log(`${formatColumns(table).join("\n")}\n`);
  if (options.write)
    await writePage([tableRows(results, workspaces, { seconds: false }), digestRows(results)]);
  const [first, ...others] = results;
  const differing = others.filter(({ built }) => findDifferences(first?.built ?? [], built).length > 0);
  const failed = results.filter((result) => result.failed);
  const missing = results.filter(({ facts, failed = false }) => facts === undefined && !failed);
  const ran = results.length - missing.length;
  if (missing.length > 0) console.log(`not run: ${listNames(missing)}`);
  if (failed.length > 0) console.log(`failed: ${listNames(failed)}`);
  console.log(
    differing.length > 0
      ? `not the same on ${differing.length} of ${ran} hosts: ${listNames(differing)}`
      : `the same digest for each image on ${ran - failed.length} hosts`,
  );
  const isGood = differing.length === 0 && failed.length === 0 && ran > 1;
  return isGood && !(options["require-all"] && missing.length > 0) ? 0 : 1;
}

/** @param {readonly (readonly (readonly string[])[])[]} tables */
async function writePage(tables) {
  const page = await readFile(PAGE, "utf8");
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${PAGE} has no place for the results`);
  const text = [START, ...tables.map(formatMarkdown)].join("\n\n");
  await writeFile(PAGE, `${page.slice(0, start)}${text}\n\n${page.slice(end)}`);
}
