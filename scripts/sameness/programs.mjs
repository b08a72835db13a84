// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { copyFile, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { NODE_VERSIONS } from "./hosts.mjs";
import { runProgram } from "./run-program.mjs";

/** @typedef {import("./hosts.mjs").Host} Host */

/** This package, as `npm install` puts it onto a machine, below `node_modules`. */
export const PACKAGE = join("node_modules", "@best-tools", "toolbox");

const QUIET = ["--no-save", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
/** npm's words for the CPU of an emulated host. */
const ARM64 = ["--os=linux", "--cpu=arm64", "--libc=glibc"];

/** What is installed once, and copied to each host that needs it. */
export class Programs {
  /** @type {Map<string, Promise<string>>} */
  #installed = new Map();

  /**
   * @param {{ root: string, otherRoot?: string | undefined, folder: string, log: string, signal: AbortSignal }} options
   *   root: this repository, built; otherRoot: another one; folder: where programs may be put
   */
  constructor(options) {
    this.options = options;
  }

  /**
   * A folder with the package and what it depends on for the host's CPU.
   * @param {Host} host
   */
  async product({ emulated = false, otherProgram = false }) {
    const { root, otherRoot = root } = this.options;
    const name = ["product", ...(otherProgram ? ["other"] : []), ...(emulated ? ["arm64"] : [])].join("-");
    return await this.#once(name, async (folder) => {
      const tarball = join(folder, await this.#pack(otherProgram ? otherRoot : root, folder));
      await this.#npm([
        "install",
        ...QUIET,
        "--omit=dev",
        "--prefix",
        folder,
        ...(emulated ? ARM64 : []),
        tarball,
      ]);
      await rm(tarball);
    });
  }

  /**
   * The Node.js of a host.
   * @param {Host} host
   */
  async node({ major, emulated = false }) {
    const arch = emulated ? "arm64" : process.arch;
    const name = `node-linux-${arch}`;
    const version = NODE_VERSIONS[major];
    const folder = await this.#once(`${name}-${major}`, async (folder) => {
      if (!emulated && process.version.startsWith(`v${major}.`)) {
        const bin = join(folder, "node_modules", name, "bin");
        await mkdir(bin, { recursive: true });
        return await copyFile(process.execPath, join(bin, "node"));
      }
      // The package of another CPU is refused without --force.
      await this.#npm(["install", ...QUIET, "--force", "--prefix", folder, `${name}@${version}`]);
    });
    return join(folder, "node_modules", name, "bin", "node");
  }

  /**
   * @param {string} root
   * @param {string} destination
   */
  async #pack(root, destination) {
    const printed = await this.#npm(["pack", "--json", "--pack-destination", destination, root]);
    return JSON.parse(printed)[0].filename;
  }

  /** @param {readonly string[]} words */
  async #npm(words) {
    const { root, log, signal } = this.options;
    return await runProgram(["npm", ...words], { cwd: root, log, signal });
  }

  /**
   * @param {string} name
   * @param {(folder: string) => Promise<void>} install
   */
  async #once(name, install) {
    const folder = join(this.options.folder, name);
    const known = this.#installed.get(name);
    if (known !== undefined) return await known;
    const made = mkdir(folder, { recursive: true }).then(async () => {
      await install(folder);
      return folder;
    });
    this.#installed.set(name, made);
    return await made;
  }
}
