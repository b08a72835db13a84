// SPDX-License-Identifier: Apache-2.0
import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../core/error.ts";
import { pathBelow, type Session, type SessionMount } from "../session/index.ts";
import { makeMountPointInside, resolveInside } from "./rootfs-path.ts";

/** Files that an engine with a daemon would write itself. */
const NETWORK_FILES = ["/etc/hosts", "/etc/resolv.conf"];

/**
 * The mounts of a prepared session, with the name service files of the host, at places that exist in the unpacked image
 * and that no link of the image leads out of.
 *
 * @throws {ToolingError} `MOUNT_REFUSED`
 */
export async function placeMounts(session: Session, root: string): Promise<SessionMount[]> {
  const placed: SessionMount[] = [];
  for (const mount of [...(await networkMounts(session)), ...session.mounts]) {
    const outer = placed.some(
      ({ target }) => target !== mount.target && pathBelow(target, mount.target) !== undefined,
    );
    if (outer) {
      placed.push(mount);
      continue;
    }
    const target = await resolveInside(root, mount.target);
    await makeMountPointInside(root, target, (await stat(mount.source)).isDirectory() ? "folder" : "file");
    placed.push({ ...mount, target });
  }
  return placed;
}

/** The host's own name service files, links resolved, for a session that shares its network. */
export async function networkMounts({ network }: Session): Promise<SessionMount[]> {
  if (network === "none") return [];
  const mounts: SessionMount[] = [];
  for (const target of NETWORK_FILES) {
    try {
      mounts.push({ source: await realpath(join("/", target)), target, readOnly: true });
    } catch (error) {
      if (!isSystemError(error)) throw error;
    }
  }
  return mounts;
}
