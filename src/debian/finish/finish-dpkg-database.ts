// SPDX-License-Identifier: Apache-2.0
import { formatControl } from "../control-file.ts";
import { textEntryOf, type UnpackedPackage } from "../package-file.ts";
import type { PackageTree } from "../package-tree.ts";

const FOLDER = "var/lib/dpkg";

/** Where dpkg keeps who waits for which trigger. */
export const TRIGGERS_FOLDER = "var/lib/dpkg/triggers";

/**
 * Writes what dpkg keeps of each package: its list of files and the members of its control archive, scripts
 * included, so that a later apt-get in the image can upgrade and remove it.
 */
export function addPackageLists(tree: PackageTree, packages: readonly UnpackedPackage[]): void {
  for (const item of packages) {
    const id =
      item.control["Multi-Arch"] === "same" ? `${item.name}:${item.control["Architecture"]}` : item.name;
    const paths = item.paths.filter((path) => !tree.isLost(item, path.slice(1)));
    tree.put(textEntryOf(`${FOLDER}/info/${id}.list`, paths.map((path) => `${path}\n`).join("")));
    for (const [name, { mode, text }] of item.metadata) {
      if (name === "control") continue;
      tree.put(textEntryOf(`${FOLDER}/info/${id}.${name}`, text, mode & 0o777));
    }
  }
}

/** Writes the parts of the database that there is one of: those of a base, not of what is laid on top. */
export function addDatabase(
  tree: PackageTree,
  packages: readonly UnpackedPackage[],
  architecture: string,
): void {
  const stanzas = packages.map((item) => `${formatStatusStanza(item)}\n`);
  tree.put(textEntryOf(`${FOLDER}/status`, stanzas.join("")));
  tree.put(textEntryOf(`${FOLDER}/arch-native`, `${architecture}\n`));
  tree.put(textEntryOf(`${FOLDER}/info/format`, "1\n"));
  for (const folder of ["alternatives", "triggers", "updates"]) {
    tree.putIfAbsent({ type: "directory", path: `${FOLDER}/${folder}`, mode: 0o755, uid: 0, gid: 0 });
  }
  addTriggers(tree, packages);
}

/** A package as it stands in /var/lib/dpkg/status, installed, ending in one newline. */
export function formatStatusStanza({ control, conffiles }: UnpackedPackage): string {
  const { Package, ...rest } = control;
  const sums = [...conffiles].map(([path, md5]) => `\n ${path} ${md5}`).join("");
  return formatControl({
    Package: Package ?? "",
    Status: "install ok installed",
    ...rest,
    ...(sums === "" ? {} : { Conffiles: sums }),
  });
}

const INTEREST = /^interest(-await|-noawait)?\s+(\S+)/u;

/** Who waits for which trigger (deb-triggers(5)): one file for all paths, and one for each other name. */
function addTriggers(tree: PackageTree, packages: readonly UnpackedPackage[]): void {
  const files = new Map([["File", ""]]);
  for (const { file, line } of listInterests(packages)) files.set(file, `${files.get(file) ?? ""}${line}\n`);
  for (const [name, text] of files) tree.put(textEntryOf(`${TRIGGERS_FOLDER}/${name}`, text));
  // Without this file dpkg takes every trigger for one that is still to be run.
  tree.put(textEntryOf(`${TRIGGERS_FOLDER}/Unincorp`, ""));
}

/** A line of the files in {@link TRIGGERS_FOLDER}. */
export interface TriggerLine {
  /** Name of the file: the trigger's, or `File` for all triggers that are paths. */
  readonly file: string;
  /** Without its newline. */
  readonly line: string;
}

/** The triggers that packages wait for (deb-triggers(5)), the last package first, as dpkg notes them. */
export function listInterests(packages: readonly UnpackedPackage[]): readonly TriggerLine[] {
  return packages.toReversed().flatMap(({ name, metadata }) =>
    (metadata.get("triggers")?.text ?? "").split("\n").flatMap((line) => {
      const [, mode, trigger = ""] = INTEREST.exec(line) ?? [];
      const waiter = mode === "-noawait" ? `${name}/noawait` : name;
      if (trigger.startsWith("/")) return [{ file: "File", line: `${trigger} ${waiter}` }];
      return trigger === "" || trigger.includes("/") ? [] : [{ file: trigger, line: waiter }];
    }),
  );
}
