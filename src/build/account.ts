// SPDX-License-Identifier: Apache-2.0

/** The user that images run as unless told otherwise. */
export const IMAGE_USER = {
  name: "toolbox",
  uid: 1000,
  gid: 1000,
  home: "/home/toolbox",
  shell: "/bin/bash",
} as const;

/** The base's `/etc/passwd` (passwd(5)) with our user in it; a file of root and our user where there is none. */
export function mergePasswd(base: string | undefined): string {
  const { name, uid, gid, home, shell } = IMAGE_USER;
  const ours = `${name}:x:${uid}:${gid}:${name}:${home}:${shell}`;
  return mergeAccount(base ?? "root:x:0:0:root:/root:/bin/bash\n", ours, uid);
}

/** The base's `/etc/group` (group(5)) with our user's group in it. */
export function mergeGroup(base: string | undefined): string {
  return mergeAccount(base ?? "root:x:0:\n", `${IMAGE_USER.name}:x:${IMAGE_USER.gid}:`, IMAGE_USER.gid);
}

/** The base's `/etc/shadow` (shadow(5)) with our user in it, without a password and without a clock. */
export function mergeShadow(base: string): string {
  return mergeAccount(base, `${IMAGE_USER.name}:!:::::::`);
}

/** The base's `/etc/gshadow` (gshadow(5)) with our user's group in it. */
export function mergeGroupShadow(base: string): string {
  return mergeAccount(base, `${IMAGE_USER.name}:!::`);
}

/**
 * `/etc/nsswitch.conf` asking libnss-unknown last for users and groups, so that every uid has a name. Unchanged
 * where it is asked already.
 */
export function mergeNameSwitch(base: string | undefined): string {
  const text = base ?? "passwd: files\ngroup: files\nhosts: files dns\n";
  return text.replaceAll(/^((?:passwd|group):[^\n#]*?)[ \t]*$/gm, (line, rule: string) =>
    /\bunknown\b/.test(line) ? line : `${rule} unknown`,
  );
}

/** The first line for an id wins when a name is looked up, so ours goes before the base's owner of that id. */
function mergeAccount(base: string, ours: string, id?: number): string {
  const lines = base.split("\n").filter((line) => line !== "" && !line.startsWith(`${IMAGE_USER.name}:`));
  const sameId = id === undefined ? -1 : lines.findIndex((line) => line.split(":")[2] === String(id));
  lines.splice(sameId === -1 ? lines.length : sameId, 0, ours);
  return `${lines.join("\n")}\n`;
}
