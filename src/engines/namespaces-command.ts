// SPDX-License-Identifier: Apache-2.0
import { posix } from "node:path";
import type { SessionMount } from "../session/index.ts";
import type { SandboxPlan } from "./bubblewrap-command.ts";
import type { HostTool, HostTools } from "./host-tools.ts";

/** The tools without which there is no sandbox from namespaces. */
export const NAMESPACE_TOOLS: readonly HostTool[] = [
  "mkdir",
  "mount",
  "pivot_root",
  "sh",
  "umount",
  "unshare",
];

/** What a sandbox of plain namespaces needs besides its plan. */
export interface NamespacesPlan extends Omit<SandboxPlan, "hasOverlay"> {
  readonly tools: HostTools;
  /** An empty folder of the host; what is mounted there is seen in the sandbox only. */
  readonly scratch: string;
  /** A folder with the links and empty files of `/dev`. */
  readonly devices: string;
  /** Folders of the host, or links to some, that hold its programs and their libraries (`/usr`, `/bin`, `/nix`). */
  readonly systemFolders: readonly string[];
}

/** Device files that a sandbox may use, as every engine gives them. */
export const DEVICES = ["full", "null", "random", "tty", "urandom", "zero"] as const;

/** Where the sandbox's first process sees that what it starts now is the command, and no mount(8) of its own any more. */
export const READY_FILE = "/.toolbox-ready";

/** Exit code of an engine that could not start the command. */
const SETUP_EXIT_CODE = 125;

/** Writable places on top of an image that is mounted read-only because the kernel has no overlay for us. */
const FRESH_FOLDERS = ["/run", "/tmp", "/var/tmp"] as const;

/**
 * The arguments of unshare(1), util-linux 2.38 and newer: first the namespaces and a shell that furnishes them and then
 * waits for the command as an init would; inside, a second unshare that enters the image under the caller's own number.
 */
export function renderNamespacesArguments(plan: NamespacesPlan): string[] {
  const { session, asRoot, tools } = plan;
  return [
    ...(asRoot ? [] : ["--map-root-user"]),
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--ipc",
    "--uts",
    ...(session.network === "none" ? ["--net"] : []),
    "--",
    tools.sh ?? "sh",
    "-c",
    renderSetup(plan),
    "toolbox",
    ...renderEntry(plan),
    ...session.argv,
  ];
}

/**
 * The set-up script. The new root holds the host's programs, read-only, and the image in `image/`; the old root is gone
 * before the command starts, so that leaving the image's root leads nowhere. Each program that it starts costs a
 * millisecond of every command, so it starts few.
 */
function renderSetup(plan: NamespacesPlan): string {
  const { scratch, root, systemFolders, tools } = plan;
  const run = (tool: HostTool): string => quoteWord(tools[tool] ?? tool);
  const folders = [
    "image",
    "lower",
    "old",
    "proc",
    "upper",
    "work",
    ...systemFolders.map((path) => path.slice(1)),
  ];
  const plain = FRESH_FOLDERS.map((path) =>
    formatMountLine("tmpfs", `${scratch}/image${path}`, "tmpfs", "mode=1777"),
  );
  const image = quoteWord(root);
  // overlay reads a colon, and mount(8) a comma, in another way; such a path is mounted where its name is plain.
  const isPlain = /^[\w./-]+$/.test(root);
  return [
    `fail() { echo "toolbox: the sandbox cannot be made: $1" >&2; exit ${SETUP_EXIT_CODE}; }`,
    `mounts=${quoteWord(renderMountTable(plan))}`,
    `${run("mount")} -t tmpfs -o mode=0755 tmpfs ${quoteWord(scratch)} && cd ${quoteWord(scratch)} || fail 'no private file system'`,
    `${run("mkdir")} -p ${folders.map(quoteWord).join(" ")} || fail 'no folders'`,
    ...(isPlain ? [] : [`${run("mount")} --bind ${image} lower || fail 'the image cannot be mounted'`]),
    `if ! ${run("mount")} -t overlay -o lowerdir=${isPlain ? root : "lower"},upperdir=upper,workdir=work overlay image 2>/dev/null; then`,
    `${run("mount")} --bind ${image} image && ${run("mount")} -o remount,bind,ro image || fail 'the image cannot be protected'`,
    `mounts=${quoteWord(plain.join(""))}$mounts`,
    "fi",
    `printf %s "$mounts" > table && ${run("mount")} -a -T "$PWD/table" || fail 'a mount was refused'`,
    renderHostname(plan),
    `${run("pivot_root")} . old && cd / && ${run("umount")} -l /old || fail 'the old root cannot be left'`,
    `: >${READY_FILE}`,
    "unset OLDPWD PWD SHLVL _ mounts",
    '"$@"',
    // A command of its own, so that no shell replaces itself by the last one: somebody must stay to be the init.
    "exit $?",
  ].join("\n");
}

/** The kernel's file is open to a real root only, and not in every container; hostname(1) serves the others. */
function renderHostname({ session, tools }: NamespacesPlan): string {
  const name = quoteWord(session.hostname);
  const program = tools.hostname === undefined ? ":" : `${quoteWord(tools.hostname)} ${name}`;
  return `{ echo ${name} >/proc/sys/kernel/hostname || ${program}; } 2>/dev/null`;
}

/** All mounts as one fstab(5), because one mount(8) that reads a table is faster than a dozen that read options. */
function renderMountTable({ scratch, devices, systemFolders, session }: NamespacesPlan): string {
  const image = `${scratch}/image`;
  return [
    ...systemFolders.map((path) => formatMountLine(path, `${scratch}${path}`, "none", "rbind,ro")),
    formatMountLine("proc", `${scratch}/proc`, "proc", "nosuid,nodev,noexec"),
    formatMountLine("proc", `${image}/proc`, "proc", "nosuid,nodev,noexec"),
    formatMountLine("/sys", `${image}/sys`, "none", "rbind"),
    formatMountLine(devices, `${image}/dev`, "none", "bind"),
    ...DEVICES.map((name) => formatMountLine(`/dev/${name}`, `${image}/dev/${name}`, "none", "bind")),
    formatMountLine("devpts", `${image}/dev/pts`, "devpts", "newinstance,ptmxmode=0666,mode=620"),
    formatMountLine("tmpfs", `${image}/dev/shm`, "tmpfs", "mode=1777"),
    ...session.mounts.map((mount) => formatBind(mount, image)),
  ].join("");
}

function formatBind({ source, target, readOnly }: SessionMount, image: string): string {
  return formatMountLine(source, posix.join(image, target), "none", readOnly ? "rbind,ro" : "rbind");
}

/** One line of fstab(5). */
function formatMountLine(source: string, target: string, type: string, options: string): string {
  return `${[source, target, type, options].map(escapeField).join(" ")} 0 0\n`;
}

function escapeField(text: string): string {
  return text.replaceAll(
    /[\s\\#]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
}

/** The programs that become the command, one after the other: no more privileges, signals heeded, the image entered. */
function renderEntry({ session, tools, launcher, asRoot }: NamespacesPlan): string[] {
  const { uid, gid } = session.user;
  // Root keeps its real number only where the image itself can take its capabilities away, and new ones with them.
  const byImage = asRoot && launcher.length > 0;
  const user = byImage ? [] : [`--map-user=${uid}`, `--map-group=${gid}`];
  return [
    ...(byImage || tools.setpriv === undefined ? [] : [tools.setpriv, "--no-new-privs"]),
    ...(tools.resetsSignals && tools.env !== undefined ? [tools.env, "--default-signal=INT,QUIT"] : []),
    tools.unshare ?? "unshare",
    ...user,
    "--root=/image",
    `--wd=${session.workdir}`,
    "--",
    ...launcher,
  ];
}

/** A word that a POSIX shell reads as it stands. */
export function quoteWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
