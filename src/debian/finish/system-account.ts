// SPDX-License-Identifier: Apache-2.0

/** A group that a package's script would make, and the program that it hands to that group. */
export interface SystemGroup {
  /** Package whose script makes it. */
  readonly package: string;
  readonly name: string;
  readonly gid: number;
  /** Programs that are given to the group with a special mode. */
  readonly programs: readonly { readonly path: string; readonly mode: number }[];
}

/**
 * Groups that packages make when they are configured. Numbers are dynamic on a real system; here they are fixed, so
 * that every image agrees: the first free number of the system range, which is what dpkg gives in a fresh base.
 */
export const SYSTEM_GROUPS: readonly SystemGroup[] = [
  {
    package: "openssh-client",
    name: "_ssh",
    gid: 101,
    programs: [{ path: "usr/bin/ssh-agent", mode: 0o2755 }],
  },
];
