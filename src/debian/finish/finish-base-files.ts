// SPDX-License-Identifier: Apache-2.0
import type { ArchiveEntry } from "../../archive/index.ts";
import { textEntryOf } from "../package-file.ts";
import type { PackageTree } from "../package-tree.ts";
import type { FinishStep } from "./finish-step.ts";

const MAIL_GID = 8;
const UTMP_GID = 43;

const FOLDERS = ["media", "mnt", "opt", "srv", "etc/opt", "var/opt"];
const LOCAL_FOLDERS = ["", "/bin", "/etc", "/games", "/include", "/lib", "/libexec", "/sbin", "/share"];
const MORE_LOCAL_FOLDERS = ["/share/man", "/src"];

/** Master file, where it is copied to. Owner and mode are the master's. */
const MASTERS: readonly (readonly [from: string, to: string])[] = [
  ["usr/share/base-files/dot.bashrc", "root/.bashrc"],
  ["usr/share/base-files/dot.profile", "root/.profile"],
  ["usr/share/base-files/info.dir", "usr/share/info/dir"],
  ["usr/share/base-files/motd", "etc/motd"],
  ["usr/share/base-files/profile", "etc/profile"],
  ["usr/share/libc-bin/nsswitch.conf", "etc/nsswitch.conf"],
];

/** The folders, links and copies of masters that base-files and libc-bin make when they are configured. */
export const finishBaseFiles: FinishStep = async (tree, packages) => {
  for (const [from, to] of MASTERS) copyMaster(tree, from, to);
  if (packages.some(({ name }) => name === "base-files")) addBaseTree(tree);
  if (packages.some(({ name }) => name === "libnss-unknown")) await addUnknownNames(tree);
  if (packages.some(({ name }) => name === "libpam-modules")) {
    tree.putIfAbsent(textEntryOf("etc/environment", ""));
    tree.putIfAbsent(textEntryOf("etc/security/opasswd", "", 0o600));
  }
  for (const { name } of packages) addPythonFolder(tree, name);
};

function addBaseTree(tree: PackageTree): void {
  const local = [...LOCAL_FOLDERS, ...MORE_LOCAL_FOLDERS].map((path) => `usr/local${path}`);
  for (const path of [...FOLDERS, ...local]) tree.putIfAbsent(folder(path));
  tree.putIfAbsent(folder("var/mail", 0o2775, MAIL_GID));
  tree.putIfAbsent(folder("run/lock", 0o1777));
  tree.putIfAbsent(link("usr/local/man", "share/man"));
  tree.putIfAbsent(link("var/spool/mail", "../mail"));
  tree.put(link("var/run", "/run"));
  tree.put(link("var/lock", "/run/lock"));
  tree.putIfAbsent(textEntryOf("var/log/wtmp", "", 0o664, UTMP_GID));
  tree.putIfAbsent(textEntryOf("var/log/btmp", "", 0o660, UTMP_GID));
  tree.putIfAbsent(textEntryOf("var/log/lastlog", "", 0o664, UTMP_GID));
  if (tree.has("etc/dpkg/origins/debian")) tree.putIfAbsent(link("etc/dpkg/origins/default", "debian"));
}

function copyMaster(tree: PackageTree, from: string, to: string): void {
  const master = tree.get(from);
  if (master?.type === "file") tree.putIfAbsent({ ...master, path: to });
}

/** With this module every uid has a name, so that programs which ask for one work under any uid. */
async function addUnknownNames(tree: PackageTree): Promise<void> {
  const text = await tree.readText("etc/nsswitch.conf");
  if (text === undefined) return;
  const changed = text.replaceAll(/^((?:passwd|group):[^\n#]*?)[ \t]*$/gmu, (line, rule: string) =>
    /\bunknown\b/u.test(line) ? line : `${rule} unknown`,
  );
  tree.put(textEntryOf("etc/nsswitch.conf", changed));
}

function addPythonFolder(tree: PackageTree, name: string): void {
  const version = /^python(3\.\d+)-minimal$/u.exec(name)?.[1];
  if (version === undefined) return;
  tree.putIfAbsent(folder(`usr/local/lib/python${version}`));
  tree.putIfAbsent(folder(`usr/local/lib/python${version}/dist-packages`));
}

function folder(path: string, mode = 0o755, gid = 0): ArchiveEntry {
  return { type: "directory", path, mode, uid: 0, gid };
}

function link(path: string, target: string): ArchiveEntry {
  return { type: "symlink", path, target, mode: 0o777, uid: 0, gid: 0 };
}
