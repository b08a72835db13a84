// SPDX-License-Identifier: Apache-2.0
import { chmod, lstat, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../core/error.ts";
import { sandboxRefused } from "./bubblewrap-sandbox.ts";
import { PROBE_TIMEOUT } from "./container-status.ts";
import type { EngineStatus } from "./engine.ts";
import type { HostTools } from "./host-tools.ts";
import { DEVICES, NAMESPACE_TOOLS, READY_FILE, renderNamespacesArguments } from "./namespaces-command.ts";
import { signalCommand } from "./process-tree.ts";
import type { Sandbox, SandboxCommand, SandboxRequest } from "./sandbox.ts";

/** What takes the capabilities of a root that has no user namespace around it, for good. */
const ROOT_LAUNCHER = ["/usr/bin/setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--"];

/** unshare itself must outlive a Ctrl-C, which the terminal sends to all; the command decides what it means. */
const IGNORE_SIGNALS = ["--ignore-signal=INT,QUIT", "--"];

/** Folders of a system that may hold programs and libraries; merged systems have links into `/usr` for some. */
const SYSTEM_FOLDERS = ["bin", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "sbin", "usr"];

/** User namespaces through util-linux alone; as root, the other namespaces without them. */
export const namespacesSandbox: Sandbox = {
  name: "namespaces",
  async detect(tools, host, options = {}) {
    const { missing, unshare } = findMissing(tools);
    if (unshare === undefined || missing.length > 0) return notInstalled(`${missing.join(", ")} not found`);
    const capture = { env: host.env, timeout: PROBE_TIMEOUT, signal: options.signal };
    const { stdout } = await host.programs.capture(unshare, ["--version"], capture);
    const version = /(\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? "0";
    if (!isNewEnough(version)) return notInstalled(`util-linux is ${version}`);
    const user = host.uid === 0 ? [] : ["--map-root-user"];
    const trial = [...user, "--mount", "--pid", "--fork", "--mount-proc", "true"];
    const { exitCode, stderr } = await host.programs.capture(unshare, trial, capture);
    return exitCode === 0 ? { state: "ready", version, notes: [] } : sandboxRefused("unshare", stderr);
  },
  refusesLimits: () => "it makes no cgroup",
  async plan(request: SandboxRequest): Promise<SandboxCommand> {
    const { tools } = request;
    const argv = await planArguments(request);
    const unshare = tools.unshare ?? "unshare";
    return {
      ...(tools.resetsSignals && tools.env !== undefined
        ? { program: tools.env, argv: [...IGNORE_SIGNALS, unshare, ...argv] }
        : { program: unshare, argv }),
      deliver: (signal, program) => signalCommand(program, signal, READY_FILE),
    };
  },
  async launch(request) {
    const { unshare, env, resetsSignals } = request.tools;
    if (unshare === undefined || env === undefined || !resetsSignals) return undefined;
    return { program: unshare, argv: await planArguments(request), readyFile: READY_FILE };
  },
  tellsMissingCommands: () => true,
};

async function planArguments({ session, image, tools, host }: SandboxRequest): Promise<string[]> {
  const asRoot = host.uid === 0;
  const scratch = join(host.dataDir, "sandbox", "mnt");
  const devices = join(host.dataDir, "sandbox", "dev");
  await mkdir(scratch, { recursive: true, mode: 0o755 });
  await makeDeviceFolder(devices);
  return renderNamespacesArguments({
    session,
    root: image.root,
    asRoot,
    launcher: asRoot && image.dropsCapabilities ? ROOT_LAUNCHER : [],
    tools,
    scratch,
    devices,
    systemFolders: await findSystemFolders(),
  });
}

function findMissing(tools: HostTools): { missing: string[]; unshare: string | undefined } {
  const missing = NAMESPACE_TOOLS.filter((tool) => tools[tool] === undefined);
  return { missing: missing.map((tool) => `"${tool}"`), unshare: tools.unshare };
}

function notInstalled(reason: string): EngineStatus {
  return { state: "missing", reason, cure: "Install util-linux 2.38 or newer, or bubblewrap." };
}

/** unshare(1) maps one user to any number since util-linux 2.38. */
function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 2 || (major === 2 && minor >= 38);
}

/** Links and empty files to mount the host's devices on; made once, never changed by a command. */
async function makeDeviceFolder(folder: string): Promise<void> {
  if (await exists(join(folder, ".ready"))) return;
  for (const name of ["pts", "shm"]) await mkdir(join(folder, name), { recursive: true });
  for (const name of DEVICES) await writeFile(join(folder, name), "");
  const links = [
    ["fd", "/proc/self/fd"],
    ["stdin", "/proc/self/fd/0"],
    ["stdout", "/proc/self/fd/1"],
    ["stderr", "/proc/self/fd/2"],
    ["ptmx", "pts/ptmx"],
  ] as const;
  for (const [name, target] of links) {
    try {
      await symlink(target, join(folder, name));
    } catch (error) {
      if (!isSystemError(error, "EEXIST")) throw error;
    }
  }
  await writeFile(join(folder, ".ready"), "");
  await chmod(folder, 0o555);
}

async function findSystemFolders(): Promise<string[]> {
  const paths = SYSTEM_FOLDERS.map((name) => `/${name}`);
  const found = await Promise.all(paths.map(async (path) => exists(path)));
  return paths.filter((_, at) => found[at]);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}
