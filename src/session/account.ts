// SPDX-License-Identifier: Apache-2.0
import type { SessionFile, SessionUser } from "./session.ts";

/** Accounts with fixed numbers in every Debian system (base-passwd); the files below replace the image's own. */
const SYSTEM_USERS: readonly (readonly [name: string, uid: number, gid: number, home: string])[] = [
  ["root", 0, 0, "/root"],
  ["daemon", 1, 1, "/usr/sbin"],
  ["bin", 2, 2, "/bin"],
  ["sys", 3, 3, "/dev"],
  ["sync", 4, 65_534, "/bin"],
  ["games", 5, 60, "/usr/games"],
  ["man", 6, 12, "/var/cache/man"],
  ["lp", 7, 7, "/var/spool/lpd"],
  ["mail", 8, 8, "/var/mail"],
  ["www-data", 33, 33, "/var/www"],
  ["_apt", 42, 65_534, "/nonexistent"],
  ["nobody", 65_534, 65_534, "/nonexistent"],
];

const SYSTEM_GROUPS: readonly (readonly [name: string, gid: number])[] = [
  ["root", 0],
  ["daemon", 1],
  ["bin", 2],
  ["sys", 3],
  ["adm", 4],
  ["tty", 5],
  ["disk", 6],
  ["lp", 7],
  ["mail", 8],
  ["man", 12],
  ["sudo", 27],
  ["www-data", 33],
  ["shadow", 42],
  ["utmp", 43],
  ["staff", 50],
  ["games", 60],
  ["users", 100],
  ["nogroup", 65_534],
];

/**
 * `/etc/passwd` and `/etc/group` with an entry for the caller, so that ssh, git and whoami know who runs them.
 * A system account with the caller's number or name makes room for the caller.
 */
export function planAccountFiles(user: SessionUser): SessionFile[] {
  const users = SYSTEM_USERS.filter(([name, uid]) => name !== user.name && uid !== user.uid).map(
    ([name, uid, gid, home]) =>
      `${name}:x:${uid}:${gid}:${name}:${home}:${name === "root" ? "/bin/bash" : "/usr/sbin/nologin"}`,
  );
  const groups = SYSTEM_GROUPS.filter(([name, gid]) => name !== user.group && gid !== user.gid).map(
    ([name, gid]) => `${name}:x:${gid}:`,
  );
  users.push(`${user.name}:x:${user.uid}:${user.gid}:${user.name}:${user.home}:/bin/bash`);
  groups.push(`${user.group}:x:${user.gid}:`);
  return [
    { target: "/etc/group", content: `${groups.join("\n")}\n` },
    { target: "/etc/passwd", content: `${users.join("\n")}\n` },
  ];
}

/** A login name that passwd(5) can hold: the caller's own when it is plain, else `user`. */
export function accountName(name: string | undefined, fallback = "user"): string {
  return name !== undefined && /^[A-Za-z_][A-Za-z0-9._-]{0,31}$/.test(name) ? name : fallback;
}
