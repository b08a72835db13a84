// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { ModuleFile } from "./module-archive.ts";
import type { PackageJson } from "./package-json.ts";
import { isForTarget } from "./prebuilt-files.ts";
import type { TargetNode } from "./target-node.ts";

/** A package that would run something when npm installs it. */
export interface InstallScript {
  readonly name: string;
  readonly version: string;
  /** Names of its scripts; `node-gyp` where it would be compiled. */
  readonly scripts: readonly string[];
}

const SCRIPTS = ["preinstall", "install", "postinstall"];

/**
 * What npm would run for a package. Absent: nothing.
 *
 * @param folder Of the package among the files; `""` for its archive's own.
 */
export function findInstallScript(
  { name, version, scripts, isCompiled }: PackageJson,
  files: readonly ModuleFile[],
  folder: string,
  target: TargetNode,
): InstallScript | undefined {
  const found = SCRIPTS.filter((script) => (scripts[script] ?? "").trim() !== "");
  const own = files
    .filter(({ path }) => path.startsWith(folder))
    .map(({ path }) => path.slice(folder.length));
  const isBuilt = own.some((path) => path.startsWith("prebuilds/") && isForTarget(path, target));
  // npm compiles where there is a binding.gyp and no script that would say otherwise.
  const isGyp = isCompiled && own.includes("binding.gyp") && !isBuilt && scripts["install"] === undefined;
  if (isGyp && scripts["preinstall"] === undefined) found.push("node-gyp");
  return found.length === 0 ? undefined : { name, version, scripts: found };
}

/**
 * Sees to it that nobody is surprised by a script that was not run.
 *
 * @param ignored Packages that the tool's definition says it works without the scripts of.
 * @returns one line for each package of those
 * @throws {ToolingError} `POLICY_REFUSED` for all others
 */
export function checkInstallScripts(
  tool: string,
  found: readonly InstallScript[],
  ignored: readonly string[],
): readonly string[] {
  const describe = ({ name, version, scripts }: InstallScript): string =>
    `"${name}" ${version} (${scripts.join(", ")})`;
  const refused = found.filter(({ name }) => !ignored.includes(name));
  if (refused.length > 0) {
    const names = [...new Set(refused.map(({ name }) => name))].toSorted().join(", ");
    throw new ToolingError(
      "POLICY_REFUSED",
      `tool "${tool}" needs packages with install scripts, which are never run: ${refused.map(describe).join(", ")}`,
      { hint: `If the tool works without them, write "ignoreScripts: [${names}]" in its definition.` },
    );
  }
  return found.map((each) => `the install script of ${describe(each)} is not run`);
}
