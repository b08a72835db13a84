// SPDX-License-Identifier: Apache-2.0
import {
  type ArchiveEntry,
  comparePaths,
  type FileEntry,
  fileEntryOf,
  sortEntries,
} from "../../archive/index.ts";
import { collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import {
  type ConsoleScript,
  formatConsoleScript,
  parseConsoleScripts,
  rewriteShebang,
} from "./console-script.ts";
import type { WheelMember } from "./wheel-archive.ts";

/** A wheel that is laid into a tool's folder. */
export interface InstalledWheel {
  /** Normalised. */
  readonly project: string;
  /** File name, for errors. */
  readonly name: string;
  readonly members: readonly WheelMember[];
}

/** Where and what to install. */
export interface InstallWheelsOptions {
  /** Name of the tool, whose folder is `/opt/NAME`. */
  readonly tool: string;
  /** Series of the image's Python, such as `3.13`. */
  readonly python: string;
  /** Projects whose programs are installed; those of dependencies are not. */
  readonly programsOf: readonly string[];
  /** Programs that are put on everybody's PATH. */
  readonly binaries: readonly string[];
}

const MOST_SCRIPT_BYTES = 16 * 1024 * 1024;
/** Parts of a `.data` folder that a tool does not need to run. */
const LEFT_OUT: ReadonlySet<string> = new Set(["headers"]);

/**
 * The files of a tool as they stand in an image: a virtual environment (PEP 405) at `/opt/TOOL` that holds the wheels
 * and nothing of the system's packages, and its programs on PATH.
 *
 * @returns sorted, parents first
 * @throws {ToolingError} `ARCHIVE_INVALID`, `PATH_CONFLICT`
 */
export async function installWheels(
  wheels: readonly InstalledWheel[],
  options: InstallWheelsOptions,
): Promise<readonly ArchiveEntry[]> {
  const root = `opt/${options.tool}`;
  const files = new Map<string, OwnedFile>();
  for (const wheel of wheels.toSorted((a, b) => comparePaths(a.project, b.project))) {
    for (const file of await listInstalled(wheel, root, options)) await addFile(file, files);
  }
  const links = options.binaries.map((binary): ArchiveEntry => {
    if (!files.has(`${root}/bin/${binary}`)) throw noProgram(binary, options);
    return link(`usr/local/bin/${binary}`, `/${root}/bin/${binary}`);
  });
  return sortEntries([
    ...[...files.values()].map(({ entry }) => entry),
    ...links,
    link(`${root}/bin/python3`, "/usr/bin/python3"),
    fileEntryOf(`${root}/pyvenv.cfg`, formatEnvironment(options.python)),
  ]);
}

interface OwnedFile {
  readonly entry: FileEntry;
  /** File name of the wheel. */
  readonly owner: string;
}

async function listInstalled(
  { project, name, members }: InstalledWheel,
  root: string,
  { python, programsOf }: InstallWheelsOptions,
): Promise<readonly OwnedFile[]> {
  const site = `${root}/lib/python${python}/site-packages`;
  const interpreter = `/${root}/bin/python3`;
  const installed: OwnedFile[] = [];
  const isWanted = programsOf.includes(project);
  for (const member of members) {
    const [, kind, rest = ""] = /^[^/]+\.data\/([^/]+)\/(.+)$/.exec(member.path) ?? [];
    if (kind !== undefined && LEFT_OUT.has(kind)) continue;
    if (kind === "scripts") {
      if (isWanted)
        installed.push({ owner: name, entry: await scriptOf(member, `${root}/bin/${rest}`, interpreter) });
    } else {
      const path =
        kind === undefined ? `${site}/${member.path}` : `${folderOf(kind, root, site, name)}/${rest}`;
      installed.push({ owner: name, entry: fileOf(member, path) });
    }
  }
  if (!isWanted) return installed;
  const scripts = await readScripts(members);
  return [...installed, ...scripts.map((script) => programOf(script, name, root, interpreter))];
}

function folderOf(kind: string, root: string, site: string, wheel: string): string {
  if (kind === "purelib" || kind === "platlib") return site;
  if (kind === "data") return root;
  throw new ToolingError(
    "ARCHIVE_INVALID",
    `"${wheel}" has files for "${kind}", which is no place that we know`,
    {
      hint: "Choose another version, or tell whoever made it.",
    },
  );
}

function programOf(script: ConsoleScript, owner: string, root: string, interpreter: string): OwnedFile {
  const text = formatConsoleScript(script, interpreter);
  return { owner, entry: fileEntryOf(`${root}/bin/${script.name}`, text, { mode: 0o755 }) };
}

async function readScripts(members: readonly WheelMember[]): Promise<readonly ConsoleScript[]> {
  const member = members.find(({ path }) => /^[^/]+\.dist-info\/entry_points\.txt$/.test(path));
  return member === undefined
    ? []
    : parseConsoleScripts(Buffer.from(await contentOf(member)).toString("utf8"));
}

/** Programs in machine code lie among the scripts as well; they may be of any size and stay what they are. */
async function scriptOf(member: WheelMember, path: string, interpreter: string): Promise<FileEntry> {
  if (!(await startsAsScript(member))) return { ...fileOf(member, path), mode: 0o755 };
  return fileEntryOf(path, rewriteShebang(await contentOf(member), interpreter), { mode: 0o755 });
}

async function startsAsScript({ open }: WheelMember): Promise<boolean> {
  const start: number[] = [];
  for await (const chunk of open()) {
    start.push(...chunk.subarray(0, 2));
    if (start.length >= 2) break;
  }
  return start[0] === 0x23 && start[1] === 0x21; // #!
}

async function contentOf({ path, size, open }: WheelMember): Promise<Uint8Array> {
  if (size <= MOST_SCRIPT_BYTES) return await collectBytes(open(), { limit: MOST_SCRIPT_BYTES });
  throw new ToolingError(
    "ARCHIVE_LIMIT_EXCEEDED",
    `script "${path}" is larger than ${MOST_SCRIPT_BYTES} bytes`,
    { hint: "Choose another version, or tell whoever made it." },
  );
}

function fileOf({ isExecutable, size, open }: WheelMember, path: string): FileEntry {
  return { type: "file", path, mode: isExecutable ? 0o755 : 0o644, uid: 0, gid: 0, size, open };
}

function link(path: string, target: string): ArchiveEntry {
  return { type: "symlink", path, target, mode: 0o777, uid: 0, gid: 0 };
}

/** The same file in two wheels, as an empty `__init__.py` of a shared folder, is one file. */
async function addFile(file: OwnedFile, files: Map<string, OwnedFile>): Promise<void> {
  const other = files.get(file.entry.path);
  if (other !== undefined && !(await isSame(other.entry, file.entry))) {
    throw new ToolingError(
      "PATH_CONFLICT",
      `"${other.owner}" and "${file.owner}" both hold "${file.entry.path}"`,
      {
        hint: "Choose versions of the two that go together.",
      },
    );
  }
  if (other === undefined) files.set(file.entry.path, file);
}

async function isSame(a: FileEntry, b: FileEntry): Promise<boolean> {
  if (a.size !== b.size || a.mode !== b.mode) return false;
  const [left, right] = await Promise.all([collectBytes(a.open()), collectBytes(b.open())]);
  return Buffer.compare(left, right) === 0;
}

/** What makes a folder a virtual environment, as `python3 -m venv` writes it. */
function formatEnvironment(python: string): string {
  return `home = /usr/bin\ninclude-system-site-packages = false\nversion = ${python}\n`;
}

function noProgram(binary: string, { tool, programsOf }: InstallWheelsOptions): ToolingError {
  const projects = programsOf.map((project) => `"${project}"`).join(" and ");
  return new ToolingError("ARCHIVE_INVALID", `tool "${tool}" has no program "${binary}" in ${projects}`, {
    hint: 'Correct "binaries" in the definition of the tool, or name the project that has it under "requirements".',
  });
}
