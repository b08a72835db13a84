// SPDX-License-Identifier: Apache-2.0
import * as z from "zod";
import type { Platform } from "../core/platform.ts";
import { goHashSchema } from "./go-toolchain.ts";
import { type LockedModule, lockedModuleSchema, moduleNameSchema } from "./locked-module.ts";
import { type ExecStep, execStepSchema, type ImagePath, type ReleaseArchive } from "./source-definition.ts";
import { type ToolAbout, toolAboutSchema } from "./tool-definition.ts";

/** One downloaded or local file, known by its content. */
export interface LockedFile {
  /** File name, without folders. */
  readonly name: string;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** One Debian binary package, by coordinates. */
export interface LockedPackage {
  readonly name: string;
  /** Full Debian version, epoch and binNMU suffix included. */
  readonly version: string;
  /** `amd64`, `arm64` or `all`. */
  readonly architecture: string;
  /** Path below the mirror's root, `pool/...`. */
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  /** Suite it came from. Absent: the base's own. */
  readonly suite?: string | undefined;
}

/** A Go command at one version. The module's `go.sum`, inside the hashed module, pins all the rest. */
export interface LockedGo {
  readonly source: "go";
  readonly module: string;
  /** Module version, `v1.2.3`. */
  readonly version: string;
  /** Path of the command below the module; `.` is its root. */
  readonly package: string;
  /** Name of the installed program. */
  readonly binary: string;
  /** Linker flags, templates filled in. */
  readonly ldflags: readonly string[];
  readonly tags: readonly string[];
  /** Paths of links to the program, without a leading slash. Absent: none. */
  readonly links?: readonly string[] | undefined;
  /** Files added to the module's tree before compiling, by path. Absent: none. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  /** Versions of the modules that the module itself takes from folders it was not published with. Absent: none. */
  readonly replace?: Readonly<Record<string, string>> | undefined;
  /** Lines of go.sum for `replace`, which the module's own lacks; sorted. Absent: none. */
  readonly sums?: readonly string[] | undefined;
  /** Such as `go1.26.8`. */
  readonly toolchain: string;
  /** Hash of the toolchain's tree by the host it runs on, such as `linux-amd64`. */
  readonly toolchainSums: Readonly<Record<string, string>>;
  /** Hash of the module's tree, `h1:...`, checked against the checksum database when it was locked, unless `unconfirmed`. */
  readonly moduleSum: string;
  /** Hash of the module's go.mod, `h1:...`. */
  readonly goModSum: string;
  /** The machine's settings said not to ask the database: the hashes are the proxy's word alone. Absent: they are confirmed. */
  readonly unconfirmed?: true | undefined;
}

/** Debian packages that the base lacks, in the order in which they are unpacked. */
export interface LockedDebian {
  readonly source: "debian";
  readonly packages: readonly LockedPackage[];
  /** As in the definition. Absent: nothing. */
  readonly keep?: readonly string[] | undefined;
  /** As in the definition. Absent: none. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** As in the definition. Absent: nothing. */
  readonly exec?: readonly ExecStep[] | undefined;
}

/** A file that the project publishes. */
export interface LockedRelease {
  readonly source: "release";
  /** The project's own address for it, never a mirror's. */
  readonly url: string;
  readonly file: LockedFile;
  readonly archive: ReleaseArchive;
  /** Path in the archive by installed name; for `archive: none` the file itself. */
  readonly binaries: Readonly<Record<string, string>>;
}

/** A file of the workspace. */
export interface LockedLocalFile {
  readonly source: "file";
  /** Relative to the workspace's folder, `/`-separated. */
  readonly path: string;
  /** Name of the installed program. */
  readonly binary: string;
  readonly file: LockedFile;
}

/** Files out of another image. */
export interface LockedImage {
  readonly source: "image";
  readonly reference: string;
  /** Digest of this platform's manifest. */
  readonly digest: string;
  readonly paths: readonly ImagePath[];
}

/** One wheel, by coordinates that hold in every Python index. */
export interface LockedWheel {
  /** Normalised name of the project (PEP 503). */
  readonly project: string;
  readonly version: string;
  /** File name, which tells what it was made for (PEP 427). */
  readonly name: string;
  readonly sha256: string;
  readonly size: number;
}

/** Wheels that are installed together, for one Python. */
export interface LockedPypi {
  readonly source: "pypi";
  /** Name of the tool, whose folder is `/opt/NAME`. */
  readonly tool: string;
  /** Series of the image's Python, such as `3.13`. */
  readonly python: string;
  /** Projects whose programs are installed; those of dependencies are not. */
  readonly programsOf: readonly string[];
  /** Programs that are put on PATH. */
  readonly binaries: readonly string[];
  /** Debian packages that the base lacks, in the order in which they are unpacked; empty when it has Python. */
  readonly packages: readonly LockedPackage[];
  /** By project. */
  readonly wheels: readonly LockedWheel[];
}

/** Packages of an npm registry that are installed together, for one platform. */
export interface LockedNpm {
  readonly source: "npm";
  /** Name of the tool, whose folder is `/opt/NAME`. */
  readonly tool: string;
  /** Major version of the image's Node.js, such as `20`. */
  readonly node: string;
  /** Packages whose programs are installed; those of dependencies are not. */
  readonly programsOf: readonly string[];
  /** Programs that are put on PATH. */
  readonly binaries: readonly string[];
  /** Debian packages that the base lacks, in the order in which they are unpacked; empty when it has Node.js. */
  readonly packages: readonly LockedPackage[];
  /** By path. */
  readonly modules: readonly LockedModule[];
}

/** What one tool resolved to on one platform. */
export type LockedToolPlatform =
  | LockedGo
  | LockedDebian
  | LockedRelease
  | LockedLocalFile
  | LockedImage
  | LockedPypi
  | LockedNpm;

/** One tool of the lock: everything that build, help and run need, so that they never read the catalog. */
export interface LockedTool {
  readonly name: string;
  /** The tool's own version, without `v`. */
  readonly version: string;
  /** When the version or the bytes of a platform last changed; RFC 3339 in UTC with seconds. */
  readonly changed: string;
  /** As in the definition, with `{{version}}` filled in. */
  readonly about: ToolAbout;
  readonly platforms: Readonly<Partial<Record<Platform, LockedToolPlatform>>>;
}

const word = z.string().min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, "is not 64 lower-case hex digits");

const size = z.int().nonnegative();
const file = z.strictObject({ name: word, sha256, size });

const lockedPackage = z.strictObject({
  name: word,
  version: word,
  architecture: word,
  path: word.regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).+$/, "is not a path below the mirror"),
  sha256,
  size,
  suite: word.optional(),
});

const lockedGo = z.strictObject({
  source: z.literal("go"),
  module: word,
  version: word.regex(/^v\d/, 'is not a version such as "v1.2.3"'),
  package: word,
  binary: word,
  ldflags: z.array(word),
  tags: z.array(word),
  links: z.array(word).optional(),
  files: z.record(word, z.string()).optional(),
  replace: z.record(word, word).optional(),
  sums: z.array(word).optional(),
  toolchain: word,
  toolchainSums: z.record(word, goHashSchema),
  moduleSum: goHashSchema,
  goModSum: goHashSchema,
  unconfirmed: z.literal(true).optional(),
});

const lockedDebian = z.strictObject({
  source: z.literal("debian"),
  packages: z.array(lockedPackage),
  keep: z.array(word).optional(),
  aliases: z.record(word, word).optional(),
  exec: z.array(execStepSchema).optional(),
});

const lockedRelease = z.strictObject({
  source: z.literal("release"),
  url: word,
  file,
  archive: z.enum(["tar.gz", "tar.xz", "zip", "none"]),
  binaries: z.record(word, word),
});

const lockedImage = z.strictObject({
  source: z.literal("image"),
  reference: word,
  digest: word.regex(/^sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})$/, "is not a digest"),
  paths: z.array(z.strictObject({ from: word, to: word })).min(1),
});

const plainName = word.regex(/^[A-Za-z0-9][A-Za-z0-9._+!-]*$/, "is not a plain name");

const lockedPypi = z.strictObject({
  source: z.literal("pypi"),
  tool: plainName,
  python: z.string().regex(/^\d+\.\d+$/, 'is not a series such as "3.13"'),
  programsOf: z.array(word).min(1),
  binaries: z.array(plainName).min(1),
  packages: z.array(lockedPackage),
  wheels: z.array(z.strictObject({ project: word, version: word, name: plainName, sha256, size })).min(1),
});

const lockedNpm = z.strictObject({
  source: z.literal("npm"),
  tool: plainName,
  node: z.string().regex(/^\d+$/, 'is not a major version such as "20"'),
  programsOf: z.array(moduleNameSchema).min(1),
  binaries: z.array(plainName).min(1),
  packages: z.array(lockedPackage),
  modules: z.array(lockedModuleSchema).min(1),
});

/** Checks one locked Debian package. */
export const lockedPackageSchema: z.ZodType<LockedPackage> = lockedPackage;

/** Checks what one tool resolved to on one platform. */
export const lockedToolPlatformSchema: z.ZodType<LockedToolPlatform> = z.discriminatedUnion("source", [
  lockedGo,
  lockedDebian,
  lockedRelease,
  z.strictObject({ source: z.literal("file"), path: word, binary: word, file }),
  lockedImage,
  lockedPypi,
  lockedNpm,
]);

/** Checks one tool of a lock. */
export const lockedToolSchema: z.ZodType<LockedTool> = z.strictObject({
  name: word,
  version: word,
  changed: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, "is not a time such as 2026-01-31T12:00:00Z"),
  about: toolAboutSchema,
  platforms: z.partialRecord(z.enum(["linux/amd64", "linux/arm64"]), lockedToolPlatformSchema),
});
