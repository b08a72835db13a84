// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import { ToolingError } from "../core/error.ts";
import type { SessionMount } from "./session.ts";
import { refuseBroadFolder } from "./working-folder.ts";

/** A mount as `session.mounts` of toolbox.yaml writes it; the text form is `SOURCE:TARGET[:ro|:rw]`. */
export type MountWish =
  | string
  | { readonly source: string; readonly target: string; readonly readOnly?: boolean | undefined };

/** What relative sources start from. Absolute, links resolved. */
export interface MountOrigin {
  readonly workspace: string;
  readonly home: string;
}

/** Folders of the kernel and the engine, and the root itself: nothing is mounted over them. */
const RESERVED_TARGETS = ["/", "/dev", "/proc", "/sys"];

/**
 * Resolves one wish: `~` is the home folder, a relative source starts at the workspace, read-only unless it says otherwise.
 *
 * @throws {ToolingError} `MOUNT_REFUSED` for what would show too much or cover the system, `SESSION_INVALID` for a bad text.
 */
export function planMount(wish: MountWish, { workspace, home }: MountOrigin): SessionMount {
  const { source, target, readOnly = true } = typeof wish === "string" ? parseMountText(wish) : wish;
  if (source === "" || `${source}${target}`.includes("\0") || !target.startsWith("/"))
    throw badMount(`${source}:${target}`);
  const path = posix.resolve(workspace, expandHome(source, home));
  refuseBroadFolder(path, home);
  const inside = withoutTrailingSlash(posix.normalize(target));
  if (
    RESERVED_TARGETS.some(
      (reserved) => inside === reserved || (reserved !== "/" && inside.startsWith(`${reserved}/`)),
    )
  ) {
    throw new ToolingError("MOUNT_REFUSED", `"${source}" cannot be mounted at "${target}"`, {
      hint: "Choose another target: /, /dev, /proc and /sys belong to the system inside.",
    });
  }
  return { source: path, target: inside, readOnly };
}

/** Parents first, so that no mount hides one that was made before it; a later mount at the same target wins. */
export function orderMounts(mounts: readonly SessionMount[]): SessionMount[] {
  const byTarget = new Map(mounts.map((mount) => [mount.target, mount]));
  return [...byTarget.values()].toSorted((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));
}

/** Splits at the last colons, so that a source may hold one. */
function parseMountText(text: string): { source: string; target: string; readOnly: boolean } {
  const match = /^(?<source>.+?):(?<target>\/[^:]*)(?::(?<mode>ro|rw))?$/su.exec(text)?.groups;
  if (match === undefined) throw badMount(text);
  return { source: match["source"] ?? "", target: match["target"] ?? "", readOnly: match["mode"] !== "rw" };
}

function expandHome(source: string, home: string): string {
  if (source === "~") return home;
  return source.startsWith("~/") ? posix.join(home, source.slice(2)) : source;
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function badMount(text: string): ToolingError {
  return new ToolingError("SESSION_INVALID", `"${text}" is not a mount`, {
    hint: 'Write it as "SOURCE:TARGET" or "SOURCE:TARGET:rw", with an absolute target.',
  });
}
