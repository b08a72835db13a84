// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * What running a command costs, and whether the goals hold: `node bench/run-path.mjs [ROUNDS]`, after `npm run build`.
 *
 * What we add is measured before an engine that is a shell script and does nothing, so that only our own work counts, in
 * CPU time, which a busy machine tells reliably. Ratios to `docker run` need docker (as root a daemon is started for it)
 * and count wall time, because the daemon does the work. Rounds are interleaved, the first one warms up, medians count.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startDockerDaemon } from "./docker-daemon.mjs";
import { putSmallImage } from "./small-image.mjs";

/** @typedef {{ argv: string[], cwd: string, env: Record<string, string>, times: number }} Candidate */
/** @typedef {{ wall: number, cpu: number }} Cost Milliseconds. */

const ROUNDS = Number(process.argv[2] ?? 31);
const MAIN = join(dirname(dirname(fileURLToPath(import.meta.url))), "dist", "cli", "main.js");
const SESSION = { mounts: [], env: [], credentials: [] };
const LOCAL_LOCK = { images: { tools: { tools: [] } }, session: { ...SESSION, image: "tools" } };
const ENGINE = `#!/bin/sh
case $1 in version) echo '{"Client":{"Version":"27.0"},"Server":{"Version":"27.0"}}' ;; esac
`;

const folder = mkdtempSync(join(tmpdir(), "toolbox-run-path-"));
const daemonFolder = join(folder, "daemon");
mkdirSync(daemonFolder);
const daemon = await startDockerDaemon(daemonFolder);
try {
  await putSmallImage(join(folder, "store"), "tools:latest");
  const ours = prepareOurs();
  const engines = daemon === undefined ? {} : prepareEngines(daemon.host);
  const costs = measure({ ...ours, ...engines });
  judge(costs);
} finally {
  // Takes the warm container with it.
  await daemon?.stop();
  rmSync(folder, { recursive: true });
}

/** Before an engine that does nothing. @returns {Record<string, Candidate>} */
function prepareOurs() {
  const bin = join(folder, "fake");
  mkdirSync(bin);
  const engine = join(bin, "docker");
  writeFileSync(engine, ENGINE, { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}`, TOOLBOX_ENGINE: "docker" };
  const digest = `sha256:${"0".repeat(63)}1`;
  const use = { reference: "registry.example.com/team/tools:1.0", digest, platforms: {} };
  const shim = makeShim("ours", env, { images: {}, use, session: SESSION });
  return {
    "node -e 0": { ...shim, argv: [process.execPath, "-e", "0"], times: 1 },
    "an engine that does nothing": { ...shim, argv: [engine, "run"], times: 10 },
    "a shim before it": { ...shim, times: 10 },
    "toolbox before it": { ...shim, argv: [process.execPath, MAIN, "true"], times: 1 },
  };
}

/** @param {string} host @returns {Record<string, Candidate>} */
function prepareEngines(host) {
  const env = { PATH: process.env["PATH"] ?? "", DOCKER_HOST: host };
  const docker = makeShim("docker", { ...env, TOOLBOX_ENGINE: "docker" });
  const warm = makeShim("warm", { ...env, TOOLBOX_ENGINE: "docker" });
  toolbox(["up"], { name: "warm", env: warm.env });
  const { stdout } = spawnSync("docker", ["images", "--quiet", "--no-trunc"], { env, encoding: "utf8" });
  const [image = ""] = stdout.split("\n");
  const options = ["--rm", "--init", "--interactive", "--network=host", "--cap-drop=ALL"];
  return {
    "docker run": { ...docker, argv: ["docker", "run", ...options, image, "true"] },
    "a shim on docker run": docker,
    "a shim on a warm container": warm,
    ...(spawnSync("bwrap", ["--version"]).status === 0
      ? { "a shim on bubblewrap": makeShim("bubblewrap", { ...env, TOOLBOX_ENGINE: "bubblewrap" }) }
      : {}),
    "a shim on namespaces": makeShim("namespaces", { ...env, TOOLBOX_ENGINE: "namespaces" }),
  };
}

/**
 * A shim of `true` whose launcher is made.
 *
 * @param {string} name
 * @param {Record<string, string>} more
 * @param {object} lock
 * @returns {Candidate}
 */
function makeShim(name, more, lock = LOCAL_LOCK) {
  const cwd = join(folder, name);
  mkdirSync(cwd);
  writeFileSync(join(cwd, "toolbox.lock"), JSON.stringify({ lockVersion: 1, tools: {}, ...lock }));
  const env = { ...more, ...places(name) };
  toolbox(["shims", "install", "--force", "--dir", join(cwd, "bin"), "true"], { name, env });
  const argv = [join(cwd, "bin", "true")];
  run({ argv, cwd, env, times: 1 }, "the first call");
  run(
    { argv, cwd, env: { ...env, NODE_OPTIONS: "--no-such-option" }, times: 1 },
    "a shim that needs no Node.js",
  );
  return { argv, cwd, env, times: 1 };
}

/** @param {string} name */
function places(name) {
  const store = join(folder, "store");
  return { HOME: join(folder, "home"), TOOLBOX_STORE: store, XDG_STATE_HOME: join(folder, name, "state") };
}

/**
 * @param {string[]} args
 * @param {{ name: string, env: Record<string, string> }} place
 */
function toolbox(args, { name, env }) {
  const all = { PATH: process.env["PATH"] ?? "", TOOLBOX_ENGINE: "docker", ...env, ...places(name) };
  spawnSync(process.execPath, [MAIN, ...args], { cwd: join(folder, name), env: all });
}

/** @param {Record<string, Candidate>} candidates */
function measure(candidates) {
  /** @type {Map<string, Cost[]>} */
  const costs = new Map(Object.keys(candidates).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [name, candidate] of Object.entries(candidates)) {
      const cost = run(candidate, name);
      if (round > 0) costs.get(name)?.push(cost);
    }
  }
  return costs;
}

/** @param {Candidate} candidate @param {string} name @returns {Cost} For one run. */
function run({ argv, cwd, env, times }, name) {
  const script = `TIMEFORMAT="%R %U %S"; n=$1; shift; time for ((i = 0; i < n; i++)); do "$@" >/dev/null || exit; done`;
  const { status, stderr } = spawnSync("bash", ["-c", script, "bash", String(times), ...argv], {
    env,
    cwd,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${name}: ${stderr}`);
  const [wall = 0, user = 0, system = 0] = (stderr.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
  return { wall: (wall * 1000) / times, cpu: ((user + system) * 1000) / times };
}

/** @param {Map<string, Cost[]>} costs */
function judge(costs) {
  console.log(`medians of ${ROUNDS} rounds, load ${loadavg()[0]?.toFixed(1)}\n`);
  for (const [name, rounds] of costs) {
    const cpu = describe(rounds.map((one) => one.cpu));
    const wall = describe(rounds.map((one) => one.wall));
    console.log(`${name.padEnd(28)} CPU ${cpu}, wall ${wall}`);
  }
  /** @param {string} name @param {"cpu" | "wall"} figure */
  const median = (name, figure) => middle((costs.get(name) ?? []).map((one) => one[figure]));
  const engine = median("an engine that does nothing", "cpu");
  console.log("");
  tell("a shim over the engine", median("a shim before it", "cpu") - engine, 5, "ms");
  tell(
    "toolbox over node -e 0 and the engine",
    median("toolbox before it", "cpu") - median("node -e 0", "cpu") - engine,
    25,
    "ms",
  );
  const cold = median("docker run", "wall");
  for (const [name, goal] of /** @type {const} */ ([
    ["a shim on a warm container", 0.5],
    ["a shim on bubblewrap", 0.1],
    ["a shim on namespaces", 0.1],
  ])) {
    if (costs.has(name)) tell(`${name} / docker run`, median(name, "wall") / cold, goal, "x");
    else console.log(`${name}: not measured here`);
  }
}

/** @param {string} what @param {number} value @param {number} goal @param {string} unit */
function tell(what, value, goal, unit) {
  console.log(
    `${what}: ${value.toFixed(2)} ${unit}, goal <= ${goal} ${unit}: ${value <= goal ? "met" : "NOT MET"}`,
  );
}

/** @param {number[]} values */
function describe(values) {
  return `${middle(values).toFixed(1)} ms (least ${Math.min(...values).toFixed(1)})`;
}

/** @param {number[]} values */
function middle(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
