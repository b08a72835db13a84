// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, fileEntryOf, sortEntries } from "../../src/archive/index.ts";
import type { LayerFiles, LayerSources } from "../../src/build/index.ts";
import type { LockedTool } from "../../src/catalog/index.ts";
import type { Platform } from "../../src/core/platform.ts";
import type { ContentSource } from "../../src/oci/index.ts";
import type { Lockfile } from "../../src/workspace/index.ts";

/** Makes a program's bytes for a platform. */
export type Program = (platform: Platform) => Uint8Array;

/** Sources that hand out small made-up files, which tests may change. */
export interface TestSources extends LayerSources {
  /** By the path that the lock names without `bin/`. */
  readonly programs: Map<string, Program>;
  /** Entries of a tool beside its program. */
  readonly extras: Map<string, readonly ArchiveEntry[]>;
  readonly base: ArchiveEntry[];
  image?: ContentSource;
}

const BASE_STATUS = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n\n";

/** A tiny base with bash and glibc's loader, `hello` (a program) and `words` (a script with a Debian package). */
export function createTestSources(): TestSources {
  const sources: TestSources = {
    programs: new Map([
      ["hello", programFor("hello", "1")],
      ["words", () => new TextEncoder().encode("#!/bin/sh\necho words\n")],
    ]),
    extras: new Map(),
    base: createBase(),
    readBase: async () => ({ entries: sortEntries(sources.base), packages: [] }),
    readTool: async (locked, platform): Promise<LayerFiles> => {
      const name = locked.source === "file" ? locked.binary : "words";
      const program = sources.programs.get(name)?.(platform) ?? new Uint8Array();
      const entries = [
        fileEntryOf(`usr/local/bin/${name}`, program, { mode: 0o755 }),
        ...(sources.extras.get(name) ?? []),
      ];
      return { entries: sortEntries(entries), packages: locked.source === "debian" ? [PACKAGE] : [] };
    },
    openImage: async () => sources.image ?? failToOpen(),
  };
  return sources;
}

/** The header of a static ELF program, different for each CPU, and some text behind it. */
export function programFor(name: string, version: string): Program {
  return (platform) => elfProgram(platform === "linux/arm64" ? 183 : 62, `${name} ${version}`);
}

/** A program for a CPU by its ELF number; with an interpreter it is linked dynamically. */
export function elfProgram(machine: number, text: string, interpreter?: string): Uint8Array {
  const tail = Buffer.from(`${interpreter ?? ""}\0${text}`);
  const bytes = new Uint8Array(120 + tail.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, machine, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  if (interpreter !== undefined) {
    view.setUint32(64, 3, true);
    view.setBigUint64(72, 120n, true);
    view.setBigUint64(96, BigInt(interpreter.length + 1), true);
  }
  bytes.set(tail, 120);
  return bytes;
}

/** A lock for {@link createTestSources}; `versions` overrides a tool's version, which changes it in 2026. */
export function lockOf(versions: Readonly<Record<string, string>> = {}): Lockfile {
  const tools = [lockTool("hello", versions["hello"]), lockTool("words", versions["words"], true)];
  return {
    lockVersion: 1,
    workspace: "0".repeat(64),
    registry: "example.com/team",
    platforms: ["linux/amd64", "linux/arm64"],
    base: {
      kind: "debian",
      suite: "trixie",
      packages: [],
      platforms: { "linux/amd64": [], "linux/arm64": [] },
    },
    compression: "gzip",
    tools: Object.fromEntries(tools.map((tool) => [tool.name, tool])),
    wishes: {},
    images: { tooling: { title: "Tools for tests", tools: ["hello", "words"] } },
  };
}

function lockTool(name: string, version = "1.0.0", isDebian = false): LockedTool {
  const file = { name, sha256: version.replaceAll(".", "").padEnd(64, "0"), size: 10 };
  const entry = isDebian
    ? ({ source: "debian", packages: [] } as const)
    : ({ source: "file", path: `bin/${name}`, binary: name, file } as const);
  return {
    name,
    version,
    changed: version === "1.0.0" ? "2025-01-01T00:00:00Z" : "2026-01-01T00:00:00Z",
    about: {
      summary: `Says ${name}`,
      homepage: "https://example.com",
      license: "MIT",
      binaries: [name],
      version: { args: ["--version"], contains: version },
      examples: [{ command: `${name} --version`, description: "Tell the version" }],
      ...(name === "hello" && { completions: { bash: ["hello", "completion", "bash"] } }),
    },
    platforms: { "linux/amd64": entry, "linux/arm64": entry },
  };
}

const PACKAGE = "Package: words-data\nStatus: install ok installed\nArchitecture: all\nVersion: 1";

function createBase(): ArchiveEntry[] {
  const owner = { uid: 0, gid: 0, mode: 0o777 };
  return [
    fileEntryOf("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"),
    fileEntryOf("etc/group", "root:x:0:\n"),
    fileEntryOf("etc/shadow", "root:*:1::::::\n", { mode: 0o640, gid: 42 }),
    fileEntryOf("etc/nsswitch.conf", "passwd: files\ngroup: files\n"),
    fileEntryOf("etc/bash.bashrc", "PS1='$ '\n"),
    fileEntryOf("usr/bin/bash", "bash", { mode: 0o755 }),
    fileEntryOf("usr/lib/x86_64-linux-gnu/libnss_unknown.so.2", "names"),
    fileEntryOf("usr/lib64/ld-linux-x86-64.so.2", "loader"),
    fileEntryOf("var/lib/dpkg/status", BASE_STATUS),
    { type: "symlink", path: "bin", target: "usr/bin", ...owner },
  ];
}

function failToOpen(): never {
  throw new TypeError("this test has no base image");
}
