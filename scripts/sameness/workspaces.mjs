// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { chmod, copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

/**
 * What every host builds from one lock.
 * @typedef {object} Workspace
 * @property {string} name
 * @property {string} folder below the folder of workspaces
 * @property {readonly string[]} args of `toolbox build`
 * @property {"none" | "compiled" | "shared"} programs how it comes to its Go programs: they are compiled on every host, or
 *   taken from the machine's cache where compiling takes an hour
 * @property {string} [from] the folder that it is copied from. Absent: it is one of this project
 */

/** @type {readonly Workspace[]} */
export const WORKSPACES = [
  { name: "small", folder: "small", args: [], programs: "compiled" },
  { name: "small, zstd", folder: "small", args: ["--compression", "zstd"], programs: "compiled" },
  { name: "images", folder: "images", args: [], programs: "shared" },
];

/** The one whose arm64 base holds what the Node.js of an emulated host is run with. */
export const SYSROOT_WORKSPACE = "small";

/** For a run of less than a minute. */
export const QUICK_WORKSPACE = /** @type {Workspace} */ ({
  name: "quick",
  folder: "quick",
  args: [],
  programs: "none",
});

/**
 * A workspace of somebody else's.
 * @param {string} from
 * @returns {Workspace}
 */
export function givenWorkspace(from) {
  return { name: basename(from), folder: "given", args: [], programs: "compiled", from };
}

/** Packages, wheels and a file. */
const QUICK = `registry: registry.example.com/sameness
base: { debian: trixie }
tools:
  hello: { version: "1.0.0", source: file, path: hello, summary: Says hello }
  jq: { source: debian }
  yamllint: { source: pypi }
images:
  quick: { tools: [hello, jq, yamllint] }
`;

/** The same with a Go program of 76 packages, and the C++ library that the Node.js of an emulated host is run with. */
const SMALL = `registry: registry.example.com/sameness
base: { debian: trixie, packages: [libstdc++6] }
tools:
  hello: { version: "1.0.0", source: file, path: hello, summary: Says hello }
  jq: { source: debian }
  yamllint: { source: pypi }
  tomlv:
    definition:
      name: tomlv
      summary: Checks TOML files
      homepage: https://github.com/BurntSushi/toml
      license: MIT
      binaries: [tomlv]
      version: { args: [-help], contains: Usage }
      examples: []
      sources: [{ source: go, module: github.com/BurntSushi/toml, package: cmd/tomlv }]
    version: "1.5"
images:
  small: { tools: [hello, jq, yamllint, tomlv] }
`;

/**
 * Writes all workspaces below a folder. Those that are written here have no lock yet.
 * @param {string} folder
 * @param {string} root this repository
 * @param {readonly Workspace[]} workspaces
 */
export async function writeWorkspaces(folder, root, workspaces) {
  for (const [name, text] of Object.entries({ quick: QUICK, small: SMALL })) {
    await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, name, "toolbox.yaml"), text);
    await writeFile(join(folder, name, "hello"), "#!/bin/sh\necho hello\n");
    await chmod(join(folder, name, "hello"), 0o755);
  }
  await mkdir(join(folder, "images"));
  for (const file of ["toolbox.yaml", "toolbox.lock"])
    await copyFile(join(root, "images", file), join(folder, "images", file));
  for (const { folder: name, from } of workspaces)
    if (from !== undefined) await cp(from, join(folder, name), { recursive: true });
}
