// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { formatCanonicalJson } from "../core/json.ts";
import type { Session, SessionMount } from "../session/index.ts";

/** What a bundle depends on besides the session. */
export interface BundleOptions {
  /** Absolute path of the unpacked image, which stays read-only. */
  readonly root: string;
  /** The caller on the host. */
  readonly uid: number;
  readonly gid: number;
  /** A program of the host that serves as init inside. Absent: the command shares the host's process numbers instead. */
  readonly init?: string | undefined;
  /** Whether the runtime insists on a root inside a user namespace, as runc does: the caller is then 0 inside. */
  readonly needsRoot?: boolean | undefined;
}

/** Where the init is mounted. */
const INIT_TARGET = "/run/toolbox-init";

/**
 * Writes `config.json` of a runtime-spec bundle to `folder`, for runc, crun and everything else that reads one.
 *
 * @throws {ToolingError} `FILE_UNWRITABLE`, `DISK_FULL`
 */
export async function writeBundle(session: Session, folder: string, options: BundleOptions): Promise<void> {
  const content = formatCanonicalJson(renderBundle(session, options), { indent: 2 });
  // The environment may hold secrets.
  await writeFileAtomically(join(folder, "config.json"), content, { mode: 0o600 });
}

/** The runtime-spec configuration (runtime-spec v1.0.2, config.md) of a session whose mounts are placed. */
export function renderBundle(session: Session, options: BundleOptions): Record<string, unknown> {
  const { init, root, uid, gid, needsRoot = false } = options;
  const isRootless = uid !== 0;
  const user = isRootless && needsRoot ? { uid: 0, gid: 0 } : session.user;
  return {
    ociVersion: "1.0.2",
    root: { path: root, readonly: true },
    hostname: session.hostname,
    process: {
      terminal: session.tty,
      user: { uid: user.uid, gid: user.gid, umask: session.umask },
      args: init === undefined ? session.argv : [INIT_TARGET, "--", ...session.argv],
      env: Object.entries(session.env).map(([name, value]) => `${name}=${value}`),
      cwd: session.workdir,
      capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
      noNewPrivileges: true,
    },
    mounts: [
      ...systemMounts({ isRootless, hasInit: init !== undefined }),
      ...(init === undefined ? [] : [bindMount({ source: init, target: INIT_TARGET, readOnly: true })]),
      ...session.mounts.map(bindMount),
    ],
    linux: {
      namespaces: [
        { type: "mount" },
        { type: "ipc" },
        { type: "uts" },
        ...(init === undefined ? [] : [{ type: "pid" }]),
        ...(session.network === "none" ? [{ type: "network" }] : []),
        ...(isRootless ? [{ type: "user" }] : []),
      ],
      ...(isRootless
        ? {
            uidMappings: [{ containerID: user.uid, hostID: uid, size: 1 }],
            gidMappings: [{ containerID: user.gid, hostID: gid, size: 1 }],
          }
        : { resources: renderResources(session) }),
    },
  };
}

function systemMounts({ isRootless, hasInit }: { isRootless: boolean; hasInit: boolean }): object[] {
  const safe = ["nosuid", "noexec", "nodev"];
  return [
    hasInit
      ? { destination: "/proc", type: "proc", source: "proc", options: safe }
      : { destination: "/proc", type: "none", source: "/proc", options: ["rbind", ...safe] },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
    },
    { destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...safe, "mode=1777"] },
    isRootless
      ? { destination: "/sys", type: "none", source: "/sys", options: ["rbind", "ro", ...safe] }
      : { destination: "/sys", type: "none", source: "/sys", options: ["rbind", "rprivate", "ro", ...safe] },
    ...["/run", "/tmp", "/var/tmp"].map((destination) => ({
      destination,
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "nodev", destination === "/run" ? "mode=0755" : "mode=1777"],
    })),
  ];
}

function bindMount({ source, target, readOnly }: SessionMount): object {
  const options = ["rbind", "rprivate", readOnly ? "ro" : "rw"];
  return { destination: target, type: "bind", source, options };
}

function renderResources({ limits: { memory, cpus, pids } }: Session): object {
  return {
    devices: [{ allow: true, access: "rwm" }],
    ...(memory === undefined ? {} : { memory: { limit: memory } }),
    ...(cpus === undefined ? {} : { cpu: { quota: Math.round(cpus * 100_000), period: 100_000 } }),
    ...(pids === undefined ? {} : { pids: { limit: pids } }),
  };
}
