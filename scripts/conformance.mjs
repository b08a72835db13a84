// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * `npm run conformance`: builds the conformance suites of the OCI distribution specification from the Go module
 * proxy of this machine (`go env GOPROXY`), runs them against the compiled embedded registry, and closes with one plain line,
 * `N passed, N failed`.
 *
 * The exit code of the newer suite proves little (a report that cannot be written is rc 0, a feature that is missing
 * is a Skip), so its results.yaml is read: each API must be there and be `Pass`, no data set may fail or be skipped.
 *
 * usage: node scripts/conformance.mjs        (after `npm run build`; needs Go 1.24)
 *   TOOLBOX_CONFORMANCE_V1=FOLDER   sources of the v1.1.1 suite, where the module proxy does not have them
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CACHE = join(homedir(), ".cache", "toolbox-test", "conformance");
const MODULE = "github.com/opencontainers/distribution-spec/conformance";
const HEAD_VERSION = "v0.0.0-20260831232431-97274622c111";

/** The older suite: its release v1.1.1, else the last one before v1.1.0 that module proxies are known to have. */
const V1_VERSIONS = [
  ["v1.1.1", "v0.0.0-20250123160558-a139cc423184"],
  ["v1.1.0-rc.4", "v0.0.0-20231101194043-f2182352d4cc"],
];

/** Every API that the suite of HEAD_VERSION reports; one that is missing was not tested. */
const API_COUNT = 28;

/** Specs of v1.1.1 that exclude others: they stand for settings that this run does not use. */
const V1_ALTERNATIVES = [
  "Get tag name from environment",
  "Populate registry with test tags (no push)",
  "Cross-mounting of nonexistent blob should yield session id",
  "Cross-mounting without from, and automatic content discovery disabled should return a 202",
];

process.exitCode = await main();

async function main() {
  const scratch = await mkdtemp(join(tmpdir(), "toolbox-conformance-"));
  const { startRegistryServer } = await import(join(ROOT, "dist", "registry", "index.js"));
  const server = await startRegistryServer({ folder: join(scratch, "registry") });
  try {
    const head = await buildSuite(HEAD_VERSION, ["build", "-o"], await downloadModule(HEAD_VERSION));
    /** @type {Record<string, boolean>} */
    const results = await runHead(head, server.address, join(scratch, "head"));
    const { name, version, sources } = await findV1();
    const v1 = await buildSuite(version, ["test", "-c", "-o"], sources);
    Object.assign(results, await runV1(name, { program: v1, url: server.url, folder: join(scratch, "v1") }));
    return close(results);
  } finally {
    await server.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** @param {Record<string, boolean>} results */
function close(results) {
  const names = Object.keys(results);
  const failed = names.filter((name) => results[name] !== true);
  for (const name of failed) console.log(`failed: ${name}`);
  console.log(`${names.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 && names.length > 0 ? 0 : 1;
}

/** @returns {Promise<{ name: string, version: string, sources: string | undefined }>} */
async function findV1() {
  const given = process.env["TOOLBOX_CONFORMANCE_V1"];
  if (given !== undefined)
    return { name: "v1 (own sources)", version: await hashFolder(given), sources: given };
  for (const [name = "", version = ""] of V1_VERSIONS) {
    const sources = await downloadModule(version);
    if (sources !== undefined) return { name, version, sources };
    console.log(`the module proxy does not have the suite's ${name}`);
  }
  throw new Error("the module proxy has no older suite; set TOOLBOX_CONFORMANCE_V1");
}

/** @param {string} version */
async function downloadModule(version) {
  const { stdout } = spawnSync("go", ["mod", "download", "-json", `${MODULE}@${version}`], {
    encoding: "utf8",
    cwd: tmpdir(),
  });
  /** @type {{ Dir?: string }} */
  const answer = JSON.parse(stdout || "{}");
  return answer.Dir;
}

/**
 * Builds once per version.
 *
 * @param {string} version
 * @param {string[]} command
 * @param {string | undefined} sources
 */
async function buildSuite(version, command, sources) {
  const program = join(CACHE, `suite-${version}`);
  if (existsSync(program)) return program;
  if (sources === undefined) throw new Error(`the module proxy does not have ${MODULE}@${version}`);
  await mkdir(CACHE, { recursive: true });
  const copy = await mkdtemp(join(tmpdir(), "toolbox-suite-"));
  try {
    await cp(sources, copy, { recursive: true });
    for (const name of ["", ...(await readdir(copy))]) await chmod(join(copy, name), 0o755);
    console.log(`building ${MODULE}@${version}`);
    const { status, stderr } = spawnSync("go", [...command, `${program}.new`, "."], {
      cwd: copy,
      encoding: "utf8",
      env: { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-buildvcs=false" },
    });
    if (status !== 0) throw new Error(`the suite cannot be built:\n${stderr}`);
    await rename(`${program}.new`, program);
    return program;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

/**
 * @param {string} program
 * @param {string} address
 * @param {string} folder
 */
async function runHead(program, address, folder) {
  const { code, output } = await run(program, folder, {
    OCI_REGISTRY: address,
    OCI_TLS: "disabled",
    OCI_REPO1: "conformance/one",
    OCI_REPO2: "conformance/two",
    OCI_VERSION: process.env["OCI_VERSION"] ?? "dev",
    OCI_RESULTS_DIR: folder,
  });
  /** @type {{ apis?: Record<string, string>, data?: Record<string, string> }} */
  const report = parse(await readFile(join(folder, "results.yaml"), "utf8").catch(() => "{}")) ?? {};
  const apis = Object.entries(report.apis ?? {});
  const data = Object.entries(report.data ?? {});
  const results = Object.fromEntries([
    ...apis.map(([name, status]) => [`API ${name}`, status === "Pass"]),
    // Sparse manifests are off unless asked for: this registry wants all that a manifest names.
    ...data
      .filter(([, status]) => status !== "Disabled")
      .map(([name, status]) => [`data ${name}`, status === "Pass"]),
    ["the suite ends with 0", code === 0],
    [`the suite reports ${API_COUNT} APIs`, apis.length >= API_COUNT],
  ]);
  if (Object.values(results).includes(false)) console.log(output.slice(-8000));
  console.log(`head: ${apis.length} APIs, ${data.length} data sets`);
  return results;
}

/**
 * @param {string} version
 * @param {{ program: string, url: string, folder: string }} place
 */
async function runV1(version, { program, url, folder }) {
  const { code, output } = await run(program, folder, {
    OCI_ROOT_URL: url,
    OCI_NAMESPACE: "conformance/three",
    OCI_CROSSMOUNT_NAMESPACE: "conformance/four",
    OCI_TEST_PULL: "1",
    OCI_TEST_PUSH: "1",
    OCI_TEST_CONTENT_DISCOVERY: "1",
    OCI_TEST_CONTENT_MANAGEMENT: "1",
    OCI_AUTOMATIC_CROSSMOUNT: "1",
    OCI_REPORT_DIR: folder,
  });
  const report = await readFile(join(folder, "junit.xml"), "utf8").catch(() => "");
  const cases = [...report.matchAll(/<testcase name="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  const counted = cases.filter(([, name = "", body = ""]) => {
    const isSkipped = body.includes("<skipped");
    return !(isSkipped && V1_ALTERNATIVES.some((alternative) => name.includes(alternative)));
  });
  const results = Object.fromEntries([
    ...counted.map(([, name = "", body = ""]) => [
      `${version} ${name}`,
      !/<(?:skipped|failure|error)/.test(body),
    ]),
    [`the ${version} suite ends with 0`, code === 0 && counted.length > 0],
  ]);
  if (Object.values(results).includes(false)) console.log(output.slice(-8000));
  console.log(`${version}: ${counted.length} specs`);
  return results;
}

/**
 * @param {string} program
 * @param {string} folder
 * @param {Record<string, string>} env
 * @returns {Promise<{ code: number | null, output: string }>}
 */
async function run(program, folder, env) {
  await mkdir(folder, { recursive: true });
  return new Promise((resolve, reject) => {
    const child = spawn(program, [], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, ...env },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += String(chunk);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

/** @param {string} folder */
async function hashFolder(folder) {
  const hash = createHash("sha256");
  for (const name of (await readdir(folder)).toSorted()) {
    hash.update(`${name}\n`).update(await readFile(join(folder, name)).catch(() => ""));
  }
  return `v1-${hash.digest("hex").slice(0, 16)}`;
}
