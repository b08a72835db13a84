// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Goal 8: what running a command costs.
 *
 * What we add is measured before an engine that is a shell script and does nothing, so that only our own work counts, in
 * CPU time, which a busy machine tells reliably. Ratios to `docker run` need docker (as root a daemon is started for it)
 * and count wall time, because the daemon does the work. Rounds are interleaved, the first one warms up.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { putSmallImage } from "../content/small-image.mjs";
import { startDockerDaemon } from "../harness/docker-daemon.mjs";
import { firstLine } from "../harness/machine.mjs";
import { TOOLBOX } from "../harness/processes.mjs";
import { summarise } from "../harness/statistics.mjs";

/** @typedef {{ argv: string[], cwd: string, env: Record<string, string>, times: number }} Candidate */
/** @typedef {{ wall: number, cpu: number }} Cost Seconds. */

/** Runs are short, so that more of them fit in. */
const ROUNDS_FOR_ONE = 4;
const SESSION = { mounts: [], env: [], credentials: [] };
const LOCAL_LOCK = { images: { tools: { tools: [] } }, session: { ...SESSION, image: "tools" } };
const ENGINE = `#!/bin/sh
case $1 in version) echo '{"Client":{"Version":"27.0"},"Server":{"Version":"27.0"}}' ;; esac
`;

/** @param {import("../parts.mjs").PartContext} context */
export async function measureRunPath({ scratch: folder, rounds, log }) {
  const daemonFolder = join(folder, "daemon");
  mkdirSync(daemonFolder);
  const daemon = await startDockerDaemon(daemonFolder);
  if (daemon === undefined) log("no docker daemon starts here: nothing is compared with docker run");
  try {
    await putSmallImage(join(folder, "store"), "tools:latest");
    const ours = prepareOurs(folder);
    const engines = daemon === undefined ? {} : prepareEngines(folder, daemon);
    const costs = measure({ ...ours, ...engines }, rounds * ROUNDS_FOR_ONE);
    for (const [name, { cpu, wall }] of Object.entries(costs))
      log(`${name}: CPU ${milliseconds(cpu.median)}, wall ${milliseconds(wall.median)}`);
    return { peers: { docker: firstLine("dockerd", ["--version"]) }, costs };
  } finally {
    // Takes the warm container with it.
    await daemon?.stop();
  }
}

/** Before an engine that does nothing. @param {string} folder @returns {Record<string, Candidate>} */
function prepareOurs(folder) {
  const bin = join(folder, "fake");
  mkdirSync(bin);
  const engine = join(bin, "docker");
  writeFileSync(engine, ENGINE, { mode: 0o755 });
  const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}`, TOOLBOX_ENGINE: "docker" };
  const digest = `sha256:${"0".repeat(63)}1`;
  const use = { reference: "registry.example.com/team/tools:1.0", digest, platforms: {} };
  const shim = makeShim(folder, "ours", env, { images: {}, use, session: SESSION });
  return {
    "node -e 0": { ...shim, argv: [process.execPath, "-e", "0"], times: 1 },
    "an engine that does nothing": { ...shim, argv: [engine, "run"], times: 10 },
    "a shim before it": { ...shim, times: 10 },
    "toolbox before it": { ...shim, argv: [process.execPath, TOOLBOX, "true"], times: 1 },
  };
}

/** @param {string} folder @param {{ host: string, client: string }} daemon @returns {Record<string, Candidate>} */
function prepareEngines(folder, { host, client }) {
  const env = { PATH: process.env["PATH"] ?? "", DOCKER_HOST: host };
  const docker = makeShim(folder, "docker", { ...env, TOOLBOX_ENGINE: "docker" });
  const warm = makeShim(folder, "warm", { ...env, TOOLBOX_ENGINE: "docker" });
  toolbox(["up"], { folder, name: "warm", env: warm.env });
  const { stdout } = spawnSync(client, ["images", "--quiet", "--no-trunc"], { env, encoding: "utf8" });
  const [image = ""] = stdout.split("\n");
  const options = ["--rm", "--init", "--interactive", "--network=host", "--cap-drop=ALL"];
  return {
    "docker run": { ...docker, argv: [client, "run", ...options, image, "true"] },
    "a shim on docker run": docker,
    "a shim on a warm container": warm,
    "toolbox on a warm container": { ...warm, argv: [process.execPath, TOOLBOX, "true"] },
    ...(spawnSync("bwrap", ["--version"]).status === 0
      ? { "a shim on bubblewrap": makeShim(folder, "bubblewrap", { ...env, TOOLBOX_ENGINE: "bubblewrap" }) }
      : {}),
    "a shim on namespaces": makeShim(folder, "namespaces", { ...env, TOOLBOX_ENGINE: "namespaces" }),
  };
}

/**
 * A shim of `true` whose launcher is made.
 *
 * @param {string} folder
 * @param {string} name
 * @param {Record<string, string>} more
 * @param {object} lock
 * @returns {Candidate}
 */
function makeShim(folder, name, more, lock = LOCAL_LOCK) {
  const cwd = join(folder, name);
  mkdirSync(cwd);
  writeFileSync(join(cwd, "toolbox.lock"), JSON.stringify({ lockVersion: 1, tools: {}, ...lock }));
  const env = { ...more, ...places(folder, name) };
  toolbox(["shims", "install", "--force", "--dir", join(cwd, "bin"), "true"], { folder, name, env });
  const argv = [join(cwd, "bin", "true")];
  run({ argv, cwd, env, times: 1 }, "the first call");
  run(
    { argv, cwd, env: { ...env, NODE_OPTIONS: "--no-such-option" }, times: 1 },
    "a shim that needs no Node.js",
  );
  return { argv, cwd, env, times: 1 };
}

/** @param {string} folder @param {string} name */
function places(folder, name) {
  const store = join(folder, "store");
  return { HOME: join(folder, "home"), TOOLBOX_STORE: store, XDG_STATE_HOME: join(folder, name, "state") };
}

/**
 * @param {string[]} args
 * @param {{ folder: string, name: string, env: Record<string, string> }} place
 */
function toolbox(args, { folder, name, env }) {
  const all = { PATH: process.env["PATH"] ?? "", TOOLBOX_ENGINE: "docker", ...env, ...places(folder, name) };
  spawnSync(process.execPath, [TOOLBOX, ...args], { cwd: join(folder, name), env: all });
}

/** @param {Record<string, Candidate>} candidates @param {number} rounds */
function measure(candidates, rounds) {
  /** @type {Map<string, Cost[]>} */
  const costs = new Map(Object.keys(candidates).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, candidate] of Object.entries(candidates)) {
      const cost = run(candidate, name);
      if (round > 0) costs.get(name)?.push(cost);
    }
  }
  return Object.fromEntries(
    [...costs].map(([name, all]) => [
      name,
      { cpu: summarise(all.map(({ cpu }) => cpu)), wall: summarise(all.map(({ wall }) => wall)) },
    ]),
  );
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
  return { wall: wall / times, cpu: (user + system) / times };
}

/** @param {number} seconds */
function milliseconds(seconds) {
  return `${(seconds * 1000).toFixed(1)} ms`;
}
