// SPDX-License-Identifier: Apache-2.0
import { ENGINE_NAMES, type EngineHost, type EngineName, openEngine, recallFault } from "../engines/index.ts";
import { type Finding, fine } from "./finding.ts";
import { formatSize } from "./measure.ts";

/** The machine, as far as its diagnosis needs it; a test passes another one. */
export interface DiagnosedMachine {
  readonly engines: EngineHost;
  readonly userName: string;
  /** The CPU, in Node's words. */
  readonly cpu: string;
  /** Folders that must have room. */
  readonly folders: readonly string[];
  /** Absent: not there, or not readable. */
  readonly readText: (path: string) => Promise<string | undefined>;
  /** Free bytes where `folder` is, or will be. */
  readonly freeBytes: (folder: string) => Promise<number>;
}

/** Less than this, in bytes, and an image may not fit. */
const SCARCE = 2_000_000_000;
/** Less than this and not even a small one does. */
const TOO_SCARCE = 100_000_000;

/** Sub-uids that rootless podman needs for images of the usual kind. */
const SUBUID_COUNT = 65_536;

/** Looks at engines, user namespaces, emulation, names on PATH and disks. Changes nothing. */
export async function diagnoseMachine(machine: DiagnosedMachine): Promise<Finding[]> {
  return [
    ...(await diagnoseEngines(machine)),
    ...(await diagnoseSubuids(machine)),
    await diagnoseEmulation(machine),
    await diagnoseName(machine),
    ...(await Promise.all(machine.folders.map((folder) => diagnoseDisk(folder, machine)))),
  ];
}

async function diagnoseEngines({ engines }: DiagnosedMachine): Promise<Finding[]> {
  const wish = engines.env["TOOLBOX_ENGINE"];
  const answers = await Promise.all(
    ENGINE_NAMES.map(async (name) => {
      const status = await (await openEngine(name, engines)).detect();
      // What it says of itself is not what happened when it was used.
      const fault = status.state === "ready" ? await recallFault(name, engines) : undefined;
      return { name, status: fault ?? status };
    }),
  );
  const ready = answers.filter(({ status }) => status.state === "ready").map(({ name }) => name);
  const findings = answers.map(({ name, status }): Finding => {
    const check = `engine ${name}`;
    if (status.state === "ready")
      return fine(check, [`version ${status.version}`, ...status.notes].join("; "));
    const { reason, cure } = status;
    if (name === wish)
      return { check, state: "broken", message: `TOOLBOX_ENGINE names it, but ${reason}`, cure };
    return status.state === "missing"
      ? fine(check, reason)
      : { check, state: "warning", message: reason, cure };
  });
  return [chooseEngine(ready), ...findings];
}

function chooseEngine([first]: readonly EngineName[]): Finding {
  if (first !== undefined) return fine("engine", `commands run with ${first} unless another one is named`);
  return {
    check: "engine",
    state: "broken",
    message: "no engine is ready, so nothing can run",
    cure: "Install docker, podman or bubblewrap, or cure one of those below.",
  };
}

async function diagnoseSubuids({ engines, userName, readText }: DiagnosedMachine): Promise<Finding[]> {
  const { uid, env, programs } = engines;
  if (uid === 0 || (await programs.find("podman", env["PATH"])) === undefined) return [];
  const check = "rootless";
  const files = ["/etc/subuid", "/etc/subgid"];
  const short: string[] = [];
  for (const file of files) {
    if (countNumbers((await readText(file)) ?? "", [userName, String(uid)]) < SUBUID_COUNT) short.push(file);
  }
  const helpers = ["newuidmap", "newgidmap"];
  const found = await Promise.all(helpers.map(async (name) => programs.find(name, env["PATH"])));
  if (found.includes(undefined)) {
    const message = "newuidmap and newgidmap are not on PATH, so rootless podman has one number to give";
    return [{ check, state: "warning", message, cure: "Install uidmap (Debian) or shadow-utils." }];
  }
  if (short.length === 0) return [fine(check, `${userName} has sub-uids and sub-gids`)];
  return [
    {
      check,
      state: "warning",
      message: `${short.join(" and ")} gives ${userName} fewer than ${SUBUID_COUNT} numbers, so rootless podman cannot unpack most images`,
      cure: `Run: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${userName} && podman system migrate`,
    },
  ];
}

/** subuid(5): `NAME-OR-UID:FIRST:COUNT` lines. */
function countNumbers(text: string, owners: readonly string[]): number {
  const counts = text.split("\n").map((line) => {
    const [owner = "", , count = "0"] = line.split(":");
    return owners.includes(owner) ? Number.parseInt(count, 10) : 0;
  });
  return counts.reduce((sum, count) => sum + count, 0);
}

async function diagnoseEmulation({ cpu, readText }: DiagnosedMachine): Promise<Finding> {
  const other = cpu === "arm64" ? "x86_64" : "aarch64";
  const entry = await readText(`/proc/sys/fs/binfmt_misc/qemu-${other}`);
  if (entry?.startsWith("enabled") === true) return fine("binfmt", `programs for ${other} run under qemu`);
  return {
    check: "binfmt",
    state: "fine",
    message: `programs for ${other} do not run here; building for it needs no emulation`,
    cure: "To run them, install qemu-user-static (binfmt support).",
  };
}

/** Fedora and its relatives have another program of this name. */
async function diagnoseName({ engines, readText }: DiagnosedMachine): Promise<Finding> {
  const { env, programs } = engines;
  const found = await programs.find("toolbox", env["PATH"]);
  if (found === undefined) return fine("name", '"toolbox" is not on PATH, so nothing else answers to it');
  const isScript = (await readText(found))?.startsWith("#!") === true;
  if (isScript) return fine("name", `"toolbox" is ${found}`);
  return {
    check: "name",
    state: "warning",
    message: `"toolbox" on PATH is another program, ${found}`,
    cure: 'Call this one "tbx", or put its folder first on PATH.',
  };
}

async function diagnoseDisk(folder: string, { freeBytes }: DiagnosedMachine): Promise<Finding> {
  const check = "disk";
  const free = await freeBytes(folder);
  const message = `${formatSize(free)} free at ${folder}`;
  if (free >= SCARCE) return fine(check, message);
  const cure = "Free some space, or name a larger disk with TOOLBOX_STORE and TOOLBOX_CACHE.";
  return { check, state: free < TOO_SCARCE ? "broken" : "warning", message, cure };
}
