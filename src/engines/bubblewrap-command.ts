// SPDX-License-Identifier: Apache-2.0
import type { Session, SessionMount } from "../session/index.ts";

/** A sandbox to make of an unpacked image. */
export interface SandboxPlan {
  /** A session whose mounts are placed: their targets exist. */
  readonly session: Session;
  readonly root: string;
  /** Whether the caller is root, who needs no user namespace. */
  readonly asRoot: boolean;
  /** Whether bwrap can lay a throw-away layer over the image (0.11 and newer); otherwise the image is read-only. */
  readonly hasOverlay: boolean;
  /** A program of the image that makes signals work again which were ignored while the sandbox was made. */
  readonly launcher: readonly string[];
}

/** The arguments of bwrap (0.4 and newer). */
export function renderBubblewrapArguments(plan: SandboxPlan): string[] {
  const { session, root, asRoot, hasOverlay, launcher } = plan;
  const { uid, gid } = session.user;
  return [
    "--die-with-parent",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    ...(asRoot ? ["--cap-drop", "ALL"] : ["--unshare-user", "--uid", String(uid), "--gid", String(gid)]),
    ...(session.network === "none" ? ["--unshare-net"] : []),
    "--hostname",
    session.hostname,
    ...(hasOverlay ? ["--overlay-src", root, "--tmp-overlay", "/"] : ["--ro-bind", root, "/"]),
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    "--ro-bind-try",
    "/sys",
    "/sys",
    ...["/tmp", "/var/tmp"].flatMap((path) => ["--perms", "1777", "--tmpfs", path]),
    "--tmpfs",
    "/run",
    ...session.mounts.flatMap(renderMount),
    "--chdir",
    session.workdir,
    "--",
    ...launcher,
    ...session.argv,
  ];
}

function renderMount({ source, target, readOnly }: SessionMount): string[] {
  return [readOnly ? "--ro-bind" : "--bind", source, target];
}
