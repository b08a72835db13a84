// SPDX-License-Identifier: Apache-2.0
import { basename, dirname } from "node:path/posix";
import { resolveMergedPath } from "../merged-usr.ts";
import { textEntryOf } from "../package-file.ts";
import type { FinishStep } from "./finish-step.ts";

const MASTER = "usr/share/debianutils/shells";

/** /etc/shells as update-shells(8) writes it: the master, then each package's shells under both of their names. */
export const finishShells: FinishStep = async (tree) => {
  const master = await tree.readText(MASTER);
  if (master === undefined) return;
  const shells = new Set<string>();
  for (const file of [MASTER, ...tree.listFiles("usr/share/debianutils/shells.d")]) {
    for (const line of ((await tree.readText(file)) ?? "").split("\n")) {
      const shell = line.replace(/#.*$/u, "");
      if (shell === "") continue;
      shells.add(shell);
      const real = resolveMergedPath(shell.slice(1));
      shells.add(`/${dirname(real)}/${basename(shell)}`);
    }
  }
  const listed = new Set(master.split("\n").map((line) => line.replace(/#.*$/u, "")));
  const added = [...shells].filter((shell) => !listed.has(shell)).map((shell) => `${shell}\n`);
  tree.putIfAbsent(textEntryOf("etc/shells", master + added.join("")));
  tree.putIfAbsent(textEntryOf("var/lib/shells.state", [...shells].map((shell) => `${shell}\n`).join("")));
};
