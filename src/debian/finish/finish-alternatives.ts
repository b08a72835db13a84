// SPDX-License-Identifier: Apache-2.0
import { resolveMergedPath } from "../merged-usr.ts";
import { textEntryOf } from "../package-file.ts";
import type { PackageTree } from "../package-tree.ts";
import { type AlternativeCall, type AlternativeLink, parseAlternativeCalls } from "./alternative-call.ts";
import type { FinishStep } from "./finish-step.ts";

/** The links and the database of update-alternatives(1), from the calls that the postinsts would make. */
export const finishAlternatives: FinishStep = async (tree, packages, note) => {
  const groups = new Map<string, AlternativeCall[]>();
  for (const { name, metadata } of packages) {
    const { calls, unread } = parseAlternativeCalls(metadata.get("postinst")?.text ?? "");
    for (const text of unread) note(`package "${name}" has an alternative that cannot be read: ${text}`);
    for (const call of calls) {
      if (tree.has(call.path)) groups.set(call.name, [...(groups.get(call.name) ?? []), call]);
    }
  }
  for (const [name, calls] of groups) addGroup(tree, name, calls);
};

function addGroup(tree: PackageTree, name: string, calls: readonly AlternativeCall[]): void {
  const choices = calls.toSorted((a, b) => compare(a.path, b.path));
  const [first] = choices;
  if (first === undefined) return;
  const best = choices.reduce((a, b) => (b.priority > a.priority ? b : a), first);
  const slaves = new Map(choices.flatMap((choice) => choice.slaves).map((slave) => [slave.name, slave.link]));
  const names = [...slaves].toSorted(([a], [b]) => compare(a, b));
  const lines = ["auto", first.link, ...names.flat(), ""];
  for (const choice of choices) {
    const paths = names.map(([slave]) => choice.slaves.find((link) => link.name === slave)?.path ?? "");
    lines.push(choice.path, String(choice.priority), ...paths);
  }
  tree.put(textEntryOf(`var/lib/dpkg/alternatives/${name}`, `${lines.join("\n")}\n\n`));
  addLink(tree, best);
  for (const slave of best.slaves) addLink(tree, slave);
}

/** A slave whose file was left out (a manual page, say) gets no link, as with the real command. */
function addLink(tree: PackageTree, { link, name, path }: AlternativeLink): void {
  const place = resolveMergedPath(link.slice(1));
  if (!tree.has(path) || (tree.get(place) ?? { type: "symlink" }).type !== "symlink") return;
  const base = { type: "symlink", mode: 0o777, uid: 0, gid: 0 } as const;
  tree.put({ ...base, path: place, target: `/etc/alternatives/${name}` });
  tree.put({ ...base, path: `etc/alternatives/${name}`, target: path });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
