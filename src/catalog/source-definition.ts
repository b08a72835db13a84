// SPDX-License-Identifier: Apache-2.0
import * as z from "zod";
import { type NpmSourceDefinition, npmSourceSchema } from "./npm-source-definition.ts";

/** A Go module's command, compiled here with a locked toolchain. */
export interface GoSourceDefinition {
  readonly source: "go";
  /** Module path, such as `helm.sh/helm/v4`. */
  readonly module: string;
  /** Path of the command below the module, such as `cmd/helm`. Absent: the module's root. */
  readonly package?: string | undefined;
  /** Name of the installed program. Absent: the tool's name. */
  readonly binary?: string | undefined;
  /**
   * Linker flags that stamp the version as upstream does. Templates: `{{version}}` (without `v`), `{{major}}`,
   * `{{minor}}`, `{{patch}}`, `{{commit}}`, `{{shortCommit}}` and `{{date}}` (of the module version, RFC 3339). A flag
   * whose value the module version does not tell is left out.
   */
  readonly ldflags?: readonly string[] | undefined;
  /**
   * Versions of the modules that the module takes from folders beside it, which are not published with it: by
   * module path, `*` at its end allowed, with the templates of `ldflags`. `./FOLDER` stands for a folder of the module
   * that `files` completes.
   */
  readonly replace?: Readonly<Record<string, string>> | undefined;
  /** More places where the program is looked for, such as a folder of plugins: paths without a leading slash. */
  readonly links?: readonly string[] | undefined;
  /** Build tags. */
  readonly tags?: readonly string[] | undefined;
  /**
   * What the published module lacks and a later compile needs: a file that `go:embed` wants, by path below the
   * module, with its content.
   */
  readonly files?: Readonly<Record<string, string>> | undefined;
  /** Toolchain such as `go1.26.8`. Absent: the newest pinned one. */
  readonly toolchain?: string | undefined;
  /** Versions to offer when the proxy keeps no list of them, newest last. Any exact version works without. */
  readonly versions?: readonly string[] | undefined;
}

/** A package of the base's Debian suite, with the dependencies that the base lacks. */
export interface DebianSourceDefinition {
  readonly source: "debian";
  readonly package: string;
  /** More packages that belong to the tool. Absent: none. */
  readonly packages?: readonly string[] | undefined;
  /**
   * How the tool's version is read from the package's version: a regular expression whose first group is the
   * tool's version. Absent: the upstream part, without epoch, revision and `+`/`~` suffixes.
   */
  readonly version?: { readonly pattern: string } | undefined;
  /**
   * Patterns of what the tool needs although images leave it out as a rule (documentation, translations, static
   * libraries), as dpkg's path-include: `/usr/share/locale/de/*`. Absent: nothing.
   */
  readonly keep?: readonly string[] | undefined;
  /** Its usual names, by what the package calls the programs: `{ fd: fdfind }`. Absent: none. */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** What has to run once the packages are unpacked, in this order. Absent: nothing. */
  readonly exec?: readonly ExecStep[] | undefined;
}

/**
 * A script whose result belongs to a tool's layer, for packages that cannot do without: caches, formats, indexes. It
 * runs with the base and the tool's own packages, without a network, and may write below its folders only.
 */
export interface ExecStep {
  /** Text for `sh -eu`. */
  readonly script: string;
  /**
   * Folders that it writes, without a leading slash; nothing of the base may lie in them. What they hold afterwards,
   * on any CPU, must be the same each time.
   */
  readonly writes: readonly string[];
}

/** Archive kinds that upstreams publish; `none` is the bare program. */
export type ReleaseArchive = "tar.gz" | "tar.xz" | "zip" | "none";

/** How a document lists the versions of a tool. */
export interface ReleaseVersions {
  /** Address of the document. */
  readonly url: string;
  /**
   * `github`: a list of objects with `tag_name`, `draft` and `prerelease`; `text`: one version per line or the
   * only word of the document; `index`: anything, searched with `pattern`.
   */
  readonly format: "github" | "text" | "index";
  /** Regular expression whose first group is the version. Absent: the tag without `v`. */
  readonly pattern?: string | undefined;
}

/** The checksum file of a release. */
export interface ReleaseChecksums {
  /** Address, with the templates of the release. */
  readonly url: string;
  /**
   * `sha256sum`: lines of digest and file name, or `SHA256 (NAME) = DIGEST`; `single`: only the digest, other
   * words allowed behind it. Absent: `sha256sum`.
   */
  readonly format?: "sha256sum" | "single" | undefined;
}

/** A file that the project itself publishes, with its checksum file. */
export interface ReleaseSourceDefinition {
  readonly source: "release";
  /** Address. Templates: `{{version}}`, `{{os}}` (`linux`) and `{{arch}}` (see `architectures`). */
  readonly url: string;
  /** The project's names for our architectures. Absent: `amd64` and `arm64`. */
  readonly architectures?: { readonly amd64: string; readonly arm64: string } | undefined;
  /** Absent: the project publishes none, and the digest found when it is locked is the one that counts. */
  readonly checksums?: ReleaseChecksums | undefined;
  /** Absent: told from the address's ending. */
  readonly archive?: ReleaseArchive | undefined;
  /** Path in the archive of each installed program, same templates. Absent: the tool's name at the root. */
  readonly binaries?: Readonly<Record<string, string>> | undefined;
  readonly versions: ReleaseVersions;
}

/** A program that lies in the workspace. */
export interface FileSourceDefinition {
  readonly source: "file";
  /** Path relative to the workspace; one for all platforms (a script), or one per platform. */
  readonly path:
    | string
    | { readonly "linux/amd64"?: string | undefined; readonly "linux/arm64"?: string | undefined };
  /** Expected digest, lower-case hex. Absent: what the file has when it is locked. */
  readonly sha256?: string | undefined;
  /** Version to show. Absent: `0.0.0` with the first digits of the digest. */
  readonly version?: string | undefined;
}

/** Files out of another OCI image. */
export interface ImageSourceDefinition {
  readonly source: "image";
  /** Image reference; a tag is resolved to a digest when it is locked. Template: `{{version}}`. */
  readonly reference: string;
  readonly paths: readonly ImagePath[];
}

/** One file of another image and where it goes, both without a leading slash. */
export interface ImagePath {
  readonly from: string;
  readonly to: string;
}

/** A project of a Python index, with the dependencies that its wheels name. */
export interface PypiSourceDefinition {
  readonly source: "pypi";
  /** Name of the project, such as `python-openstackclient`. */
  readonly package: string;
  /** Optional parts of the project (PEP 508). Absent: none. */
  readonly extras?: readonly string[] | undefined;
  /**
   * More that is installed with it, each as in `requires-dist` (PEP 508): plugins, whose programs are installed too, or
   * narrower versions of a dependency. Absent: nothing.
   */
  readonly requirements?: readonly string[] | undefined;
  /** Packages of the base's Debian suite that it needs besides `python3`. Absent: none. */
  readonly debianPackages?: readonly string[] | undefined;
}

/** Where a tool's bytes come from. */
export type SourceDefinition =
  | GoSourceDefinition
  | DebianSourceDefinition
  | ReleaseSourceDefinition
  | FileSourceDefinition
  | ImageSourceDefinition
  | PypiSourceDefinition
  | NpmSourceDefinition;

/** The kinds of source. */
export type SourceKind = SourceDefinition["source"];

/** All kinds of source. */
export const SOURCE_KINDS: readonly SourceKind[] = [
  "release",
  "go",
  "debian",
  "pypi",
  "npm",
  "image",
  "file",
];

const word = z.string().min(1);
const innerPath = word
  .regex(/^[^/\\][^\\]*$/, "is not a relative path")
  .refine(hasNoDots, "leaves its folder");
const pattern = word.refine(isPattern, "is not a regular expression");
const address = word.regex(/^https?:\/\/[^\s@]+$/, "is not an http or https address");

const goSource = z.strictObject({
  source: z.literal("go"),
  module: word.regex(
    /^[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+(?:\/(?!\.)[A-Za-z0-9._~-]+)*$/,
    "is not a Go module path",
  ),
  package: innerPath.optional(),
  binary: word.optional(),
  ldflags: z.array(word).optional(),
  replace: z.record(word, word).optional(),
  links: z.array(innerPath).optional(),
  tags: z.array(word).optional(),
  files: z.record(innerPath, z.string()).optional(),
  toolchain: word.regex(/^go1\.\d+\.\d+$/, 'is not a Go toolchain such as "go1.26.8"').optional(),
  versions: z.array(word).optional(),
});

const debianPackage = word.regex(/^[a-z0-9][a-z0-9+.-]+$/, "is not a Debian package name");

const programName = word.regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/, "is not a program name");

const keepPattern = word.regex(/^\/\S+$/, "is not a pattern of an absolute path");

/** Checks one step that runs. */
export const execStepSchema: z.ZodType<ExecStep> = z.strictObject({
  script: word,
  writes: z.array(innerPath).min(1),
});

const debianSource = z.strictObject({
  source: z.literal("debian"),
  package: debianPackage,
  packages: z.array(word).optional(),
  version: z.strictObject({ pattern }).optional(),
  keep: z.array(keepPattern).optional(),
  aliases: z.record(programName, programName).optional(),
  exec: z.array(execStepSchema).min(1).optional(),
});

const releaseSource = z.strictObject({
  source: z.literal("release"),
  url: address,
  architectures: z.strictObject({ amd64: word, arm64: word }).optional(),
  checksums: z.strictObject({ url: address, format: z.enum(["sha256sum", "single"]).optional() }).optional(),
  archive: z.enum(["tar.gz", "tar.xz", "zip", "none"]).optional(),
  binaries: z.record(word, innerPath).optional(),
  versions: z.strictObject({
    url: address,
    format: z.enum(["github", "text", "index"]),
    pattern: pattern.optional(),
  }),
});

const fileSource = z.strictObject({
  source: z.literal("file"),
  path: z.union([word, z.strictObject({ "linux/amd64": word.optional(), "linux/arm64": word.optional() })]),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "is not 64 lower-case hex digits")
    .optional(),
  version: word.optional(),
});

const imageSource = z.strictObject({
  source: z.literal("image"),
  reference: word,
  paths: z.array(z.strictObject({ from: innerPath, to: innerPath })).min(1),
});

const pythonName = word.regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/, "is not a Python project name");

const pypiSource = z.strictObject({
  source: z.literal("pypi"),
  package: pythonName,
  extras: z.array(pythonName).optional(),
  requirements: z.array(word).optional(),
  debianPackages: z.array(debianPackage).optional(),
});

/** Checks one source of a tool definition. */
export const sourceDefinitionSchema: z.ZodType<SourceDefinition> = z.discriminatedUnion("source", [
  goSource,
  debianSource,
  releaseSource,
  fileSource,
  imageSource,
  pypiSource,
  npmSourceSchema,
]);

function hasNoDots(path: string): boolean {
  return !path.split("/").some((part) => part === "" || part === "." || part === "..");
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text).source.length > 0;
  } catch {
    return false;
  }
}
