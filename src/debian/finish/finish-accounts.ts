// SPDX-License-Identifier: Apache-2.0
import { textEntryOf } from "../package-file.ts";
import type { FinishStep } from "./finish-step.ts";
import { SYSTEM_GROUPS } from "./system-account.ts";

const SHADOW_GID = 42;

/** passwd, group and their shadows from base-passwd's masters, and what other packages add to them. */
export const finishAccounts: FinishStep = async (tree, packages) => {
  const present = new Set(packages.map(({ name }) => name));
  const groups = SYSTEM_GROUPS.filter((group) => present.has(group.package));
  for (const { gid, programs } of groups) {
    for (const { path, mode } of programs) {
      const entry = tree.get(path);
      if (entry !== undefined) tree.put({ ...entry, gid, mode });
    }
  }
  const passwd = await tree.readText("usr/share/base-passwd/passwd.master");
  const group = await tree.readText("usr/share/base-passwd/group.master");
  if (passwd === undefined || group === undefined) return;
  const added = groups.map(({ name, gid }) => `${name}:x:${gid}:\n`).join("");
  tree.putIfAbsent(textEntryOf("etc/passwd", useShadow(passwd)));
  tree.putIfAbsent(textEntryOf("etc/group", useShadow(group) + added));
  // Days since 1970 of the last change: 0 would ask for a new password if there were one; no clock is read.
  const shadow = listNames(passwd).map((name) => `${name}:*::0:99999:7:::\n`);
  tree.putIfAbsent(textEntryOf("etc/shadow", shadow.join(""), 0o640, SHADOW_GID));
  const groupShadow = [
    ...listNames(group).map((name) => `${name}:*::\n`),
    ...groups.map(({ name }) => `${name}:!::\n`),
  ];
  tree.putIfAbsent(textEntryOf("etc/gshadow", groupShadow.join(""), 0o640, SHADOW_GID));
  tree.putIfAbsent(textEntryOf("etc/subuid", ""));
  tree.putIfAbsent(textEntryOf("etc/subgid", ""));
};

/** The masters hold `*` where the shadow file is to be asked. */
function useShadow(text: string): string {
  return text.replaceAll(/^([^:\n]+):\*:/gmu, "$1:x:");
}

function listNames(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => (line.includes(":") ? [line.slice(0, line.indexOf(":"))] : []));
}
