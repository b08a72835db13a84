// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildWorkspace, lockWorkspace, probeHost, unpackSysroot } from "./build-host.mjs";
import { MACHINE_CACHE, makeHostPlace } from "./host-place.mjs";
import { reasonAgainst } from "./hosts.mjs";
import { Programs } from "./programs.mjs";
import { findDifferences } from "./results.mjs";
import { runProgram } from "./run-program.mjs";
import { SYSROOT_WORKSPACE, writeWorkspaces } from "./workspaces.mjs";

/** @typedef {import("./hosts.mjs").Host} Host */
/** @typedef {import("./results.mjs").HostResult} HostResult */
/** @typedef {import("./workspaces.mjs").Workspace} Workspace */
/** @typedef {Awaited<ReturnType<typeof makeHostPlace>>} Place */

/** Lines of a comparison that are shown; the whole is kept in a file. */
const SHOWN = 40;

/**
 * Builds on each host in turn.
 *
 * @param {readonly Host[]} hosts the first is what the others are compared with
 * @param {{ root: string, otherRoot: string | undefined, work: string, workspaces: readonly Workspace[], compile: boolean, signal: AbortSignal, say: (line: string) => void }} options
 *   root: this repository, built; otherRoot: another build of it, for the host other-program; work: a folder for everything, which every user may enter
 * @returns {Promise<HostResult[]>}
 */
export async function runHosts(hosts, { root, otherRoot, work, workspaces, compile, signal, say }) {
  const log = join(work, "log");
  const folder = join(work, "programs");
  const template = join(work, "workspaces");
  await mkdir(folder);
  await writeWorkspaces(template, root, workspaces);
  const run = new SamenessRun({
    root,
    work,
    log,
    signal,
    say,
    template,
    compile,
    programs: new Programs({ root, otherRoot, folder, log, signal }),
    workspaces,
  });
  /** @type {HostResult[]} */
  const results = [];
  for (const host of hosts) {
    const reason = reasonAgainst(host, workspaces);
    if (reason === undefined) results.push(await run.tryHost(host));
    else {
      say(`${host.name}: not run, ${reason}`);
      results.push({ name: host.name, built: [], reason });
    }
  }
  return results;
}

/**
 * An emulated host would take hours for the images.
 * @param {Host} host
 * @param {Workspace} workspace
 */
function isFor({ emulated = false }, { programs }) {
  return !(emulated && programs === "shared");
}

/**
 * @param {Host} host
 * @param {boolean} recompiled
 */
function notesOf({ otherProgram = false }, recompiled) {
  return [
    ...(recompiled ? ["all Go programs compiled again"] : []),
    ...(otherProgram ? ["another build of the program"] : []),
  ];
}

class SamenessRun {
  /**
   * What came of the first host. Absent: it is being run.
   * @type {{ place: Place, built: HostResult["built"] } | undefined}
   */
  #first;
  /**
   * The cache of Go modules that a workspace has filled on the first host.
   * @type {string | undefined}
   */
  #modules;

  /**
   * @param {{ root: string, work: string, log: string, signal: AbortSignal, say: (line: string) => void, template: string, compile: boolean, programs: Programs, workspaces: readonly Workspace[] }} options
   */
  constructor(options) {
    this.options = options;
    this.sysroot = join(options.work, "sysroot");
  }

  /**
   * @param {Host} host
   * @returns {Promise<HostResult>}
   */
  async tryHost(host) {
    const { signal, say } = this.options;
    /** @type {HostResult} */
    const result = { name: host.name, built: [] };
    try {
      return await this.#runHost(host, result);
    } catch (error) {
      signal.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      say(`${host.name}: failed: ${message}`);
      if (this.#first === undefined) throw error;
      return { ...result, failed: true, reason: `failed: ${message.split("\n")[0]}` };
    }
  }

  /**
   * @param {Host} host
   * @param {HostResult} result
   * @returns {Promise<HostResult>}
   */
  async #runHost(host, result) {
    const { work, template, log, signal, say, compile } = this.options;
    const product = await this.options.programs.product(host);
    const node = await this.options.programs.node(host);
    const place = await makeHostPlace(host, {
      work,
      product,
      node,
      workspaces: template,
      sysroot: this.sysroot,
    });
    const recompiled = compile && host.name === "plain-user";
    try {
      const facts = await probeHost(host, place, { log, signal });
      const built = [];
      for (const workspace of this.options.workspaces.filter((each) => isFor(host, each))) {
        built.push(await this.#build(host, place, workspace, recompiled && workspace.programs === "shared"));
        const { seconds } = built.at(-1) ?? {};
        say(`${host.name}: ${workspace.name} built in ${seconds} s`);
      }
      this.#first ??= { place, built };
      const differs = findDifferences(this.#first.built, built);
      for (const difference of differs) await this.#showDifference(host, place, difference);
      return { ...result, facts, built, notes: notesOf(host, recompiled) };
    } finally {
      if (this.#first?.place !== place) await place.remove();
    }
  }

  /**
   * @param {Host} host
   * @param {Place} place
   * @param {Workspace} workspace
   * @param {boolean} recompile
   */
  async #build(host, place, workspace, recompile) {
    const { template, work, log, signal } = this.options;
    const isFirst = this.#first === undefined;
    if (isFirst && !existsSync(join(template, workspace.folder, "toolbox.lock")))
      await lockWorkspace(host, place, workspace, { template, work, log, signal });
    const modules = recompile ? join(MACHINE_CACHE, "go", "mod") : this.#modules;
    const { built, text, cache } = await buildWorkspace(host, place, workspace, {
      recompile,
      modules,
      work,
      log,
      signal,
    });
    const filled = join(cache, "go", "mod");
    if (isFirst && workspace.programs === "compiled" && existsSync(filled)) this.#modules = filled;
    if (isFirst && workspace.name === SYSROOT_WORKSPACE) {
      await unpackSysroot(text, place, this.sysroot, { log, signal });
    }
    return built;
  }

  /**
   * Compares the two images path by path, and shows the beginning of that.
   *
   * @param {Host} host
   * @param {Place} place
   * @param {{ image: string, from: string, to: string }} difference
   */
  async #showDifference(host, place, { image, from, to }) {
    const { root, work, log, signal, say } = this.options;
    const stores = [`oci:${this.#first?.place.store}:${from}`, `oci:${place.store}:${to}`];
    const cli = join(root, "dist", "cli", "main.js");
    const text = await runProgram([process.execPath, cli, "diff", ...stores, "--files", "--quiet"], {
      cwd: work,
      log,
      signal,
      env: { ...process.env, TOOLBOX_CACHE: join(work, "diff") },
      accept: [0, 1],
    });
    const folder = join(root, "out", "sameness");
    const file = join(folder, `${host.name}-${image}.txt`);
    await mkdir(folder, { recursive: true });
    await writeFile(file, text);
    const lines = text.trimEnd().split("\n");
    say(`${host.name}: ${image} differs`);
    for (const line of lines.slice(0, SHOWN)) say(`  ${line}`);
    if (lines.length > SHOWN) say(`  (${lines.length - SHOWN} more lines in ${file})`);
  }
}
