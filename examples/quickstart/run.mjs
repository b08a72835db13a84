// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * The whole tour, as a user would do it: build one declaration for two CPUs, publish it to a registry, pull it by
 * digest into an empty store, run tools out of it, change one tool and see what moves.
 * Downloads, compiled tools and layers stay in the cache folder of the user; all else is removed again.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compareLayers, formatBytes, formatSeconds, formatTable, shorten } from "./report.mjs";
import { serveRegistry, toolbox, toolboxJson } from "./toolbox-program.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const CHANGED_TOOL = "yq";
const CHANGED_VERSION = "4.54";

/** Bars are for terminals; in a log, a line for each blob would hide the tour. */
const calm = process.stderr.isTTY ? [] : ["--no-progress"];

const interrupted = new AbortController();
for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
  process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
}

/** @type {(() => Promise<unknown>)[]} */
const cleanups = [];
try {
  await tour();
} catch (error) {
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
  console.error(`\nquickstart: ${error instanceof Error ? error.message : String(error)}`);
} finally {
  for (const cleanup of cleanups.toReversed()) await cleanup();
}

async function tour() {
  const folder = await mkdtemp(join(tmpdir(), "toolbox-quickstart-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "toolbox");
  const maker = {
    cwd: HERE,
    env: { TOOLBOX_STORE: join(cache, "quickstart-store") },
    signal: interrupted.signal,
  };
  const user = {
    cwd: join(folder, "work"),
    env: { TOOLBOX_STORE: join(folder, "store") },
    signal: maker.signal,
  };
  const began = performance.now();

  const built = await step("build toolbox.lock for linux/amd64 and linux/arm64", () => build(maker));

  const registry = await serveRegistry(join(folder, "registry"), maker);
  cleanups.push(() => registry.stop());
  const target = `${registry.host}/quickstart`;
  const name = built.result.name;
  const published = await step(`publish to ${target}/${name}:1`, () => publish(maker, target, "1"));

  const reference = `${target}/${name}@${built.result.index.digest}`;
  const pulled = await step(`pull ${shorten(reference)} into an empty store`, () => pull(user, reference));
  await cp(join(HERE, "chart"), join(user.cwd, "chart"), { recursive: true });

  const runs = await step("run tools out of it on the sample chart", async () => {
    const engine = await findEngine(user);
    if (engine !== "embedded") cleanups.push(() => forgetImage(engine, built.result));
    for (const command of ["helm lint ./chart", "kubectl version --client", "jq --version", "toolbox-help"]) {
      console.log(`\n$ toolbox ${command}`);
      process.stdout.write(await toolbox(["run", ...calm, "--engine", engine, ...command.split(" ")], user));
    }
    return engine;
  });

  const changed = { ...maker, cwd: join(folder, "changed") };
  const again = await step(`change ${CHANGED_TOOL} to ${CHANGED_VERSION} and publish again`, async () => {
    await mkdir(changed.cwd);
    for (const file of ["toolbox.yaml", "toolbox.lock"]) await cp(join(HERE, file), join(changed.cwd, file));
    await toolbox(["add", `${CHANGED_TOOL}@${CHANGED_VERSION}`], changed);
    await toolbox(["lock", "--no-frozen"], changed);
    const image = await build(changed);
    await publish(changed, target, "2");
    return image;
  });

  console.log(`\n${formatTable(layerRows(built.result, again.result))}\n`);
  console.log(
    formatTable([
      ["first image", built.result.index.digest],
      ["with the other version", again.result.index.digest],
      ["engine", runs.result],
      ["build", formatSeconds(built.milliseconds)],
      ["publish", formatSeconds(published.milliseconds)],
      ["pull", formatSeconds(pulled.milliseconds)],
      ["four commands", formatSeconds(runs.milliseconds)],
      ["change, build, publish", formatSeconds(again.milliseconds)],
      ["all", formatSeconds(performance.now() - began)],
    ]),
  );
}

/**
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 */
async function step(title, work) {
  interrupted.signal.throwIfAborted();
  console.log(`\n== ${title}`);
  const began = performance.now();
  const result = await work();
  const milliseconds = performance.now() - began;
  console.log(`   done in ${formatSeconds(milliseconds)}`);
  return { result, milliseconds };
}

/**
 * @param {import("./toolbox-program.mjs").Surroundings} where
 * @returns {Promise<import("./report.mjs").Image>}
 */
async function build(where) {
  const { images } = await toolboxJson(["build", "--frozen"], where);
  return images[0];
}

/**
 * @param {import("./toolbox-program.mjs").Surroundings} where
 * @param {string} registry
 * @param {string} tag
 */
async function publish(where, registry, tag) {
  process.stdout.write(await toolbox(["publish", ...calm, "--to", registry, "--tag", tag], where));
}

/**
 * The user's side: a folder that names the image by digest, and a store with nothing in it.
 *
 * @param {import("./toolbox-program.mjs").Surroundings} where
 * @param {string} reference
 */
async function pull(where, reference) {
  await mkdir(where.cwd, { recursive: true });
  await writeFile(join(where.cwd, "toolbox.yaml"), `use: ${reference}\n`);
  await toolbox(["lock", "--no-frozen"], where);
  process.stdout.write(await toolbox(["pull", ...calm], where));
}

/**
 * docker or podman when one of them runs, else the embedded runner, which is always there on Linux.
 *
 * @param {import("./toolbox-program.mjs").Surroundings} where
 */
async function findEngine(where) {
  for (const engine of ["docker", "podman"]) {
    try {
      await toolbox(["run", "--engine", engine, "true"], { ...where, quiet: true });
      return engine;
    } catch {
      interrupted.signal.throwIfAborted();
    }
  }
  return "embedded";
}

/**
 * Removes what a container engine was given to run: `toolbox` names it by the digest of the platform's manifest.
 *
 * @param {string} engine
 * @param {import("./report.mjs").Image} image
 */
async function forgetImage(engine, { platforms }) {
  for (const { manifest } of platforms) {
    const name = `localhost/toolbox:${manifest.digest.slice("sha256:".length).slice(0, 32)}`;
    const child = spawn(engine, ["image", "rm", "--force", name], { stdio: "ignore" });
    await once(child, "close");
  }
}

/**
 * @param {import("./report.mjs").Image} before
 * @param {import("./report.mjs").Image} after
 */
function layerRows(before, after) {
  const rows = compareLayers(before, after).map(({ platform, name, size, moved }) => [
    platform,
    name,
    formatBytes(size),
    moved ? "moved" : "same",
  ]);
  return [["platform", "layer", "size", "after the change"], ...rows];
}
