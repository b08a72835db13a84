// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import type { ModuleFile } from "./module-archive.ts";

/** What the archive of a package says of itself. */
export interface PackageJson {
  readonly name: string;
  readonly version: string;
  /** Absent: none is named. */
  readonly license?: string | undefined;
  /** Path of each program's file by its name. */
  readonly programs: Readonly<Record<string, string>>;
  /** Scripts by name. */
  readonly scripts: Readonly<Record<string, string>>;
  /** `false` where the author says that there is nothing to compile. */
  readonly isCompiled: boolean;
}

const MOST_BYTES = 16 * 1024 * 1024;
const PROGRAM = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/**
 * Reads a `package.json` among the files of a package.
 *
 * @param title Of the package, for errors.
 * @throws {ToolingError} `ARCHIVE_INVALID` when it is not there or damaged
 */
export async function readPackageJson(
  files: readonly ModuleFile[],
  title: string,
  path = "package.json",
): Promise<PackageJson> {
  const file = files.find((each) => each.path === path);
  const document = file && parseObject(await textOfFile(file));
  if (document === undefined) {
    throw new ToolingError("ARCHIVE_INVALID", `"${title}" has no "${path}" that can be read in its archive`, {
      hint: "Do not use this package; tell whoever made it.",
    });
  }
  const name = textOf(document["name"]) ?? "";
  return {
    name,
    version: textOf(document["version"]) ?? "",
    license: licenseOf(document),
    programs: programsOf(name, document, files),
    scripts: textsOf(document["scripts"]),
    isCompiled: document["gypfile"] !== false,
  };
}

async function textOfFile(file: ModuleFile): Promise<string> {
  const onExcess = (): Error =>
    new ToolingError("ARCHIVE_LIMIT_EXCEEDED", `"${file.path}" is larger than ${MOST_BYTES} bytes`);
  return Buffer.from(await collectBytes(file.open(), { limit: MOST_BYTES, onExcess })).toString("utf8");
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // npm too takes a byte order mark for nothing.
    const value = JSON.parse(text.replace(/^\uFEFF/, "")) as unknown;
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** `license`, in the forms that it had over the years. */
function licenseOf(document: Readonly<Record<string, unknown>>): string | undefined {
  const values = [document["license"], document["licenses"]].flat();
  const names = values.flatMap((value) => {
    const type = typeof value === "object" && value !== null ? (value as { type?: unknown }).type : value;
    return textOf(type) ?? [];
  });
  return names.length > 1 ? `(${names.join(" OR ")})` : names[0];
}

/** Programs by name: `bin` as text stands for the package's own name; `directories.bin` for a folder of them. */
function programsOf(
  name: string,
  { bin, directories }: Readonly<Record<string, unknown>>,
  files: readonly ModuleFile[],
): Readonly<Record<string, string>> {
  const own = name.slice(name.lastIndexOf("/") + 1);
  const folder = normalize(textOf((directories as { bin?: unknown } | undefined)?.bin) ?? "");
  const entries =
    typeof bin === "string"
      ? [[own, bin] as const]
      : bin !== undefined
        ? Object.entries(textsOf(bin))
        : folder === undefined || folder === ""
          ? []
          : files
              .filter(({ path }) => path.startsWith(`${folder}/`))
              .map(({ path }) => [path.slice(folder.length + 1), path] as const);
  const programs: Record<string, string> = {};
  for (const [key, path] of entries) {
    const [program, target] = [key.slice(key.lastIndexOf("/") + 1), normalize(path)];
    if (PROGRAM.test(program) && target !== undefined && target !== "") programs[program] = target;
  }
  return programs;
}

/** A path below the package. Absent: it leaves it. */
function normalize(path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.includes("..") ? undefined : parts.join("/");
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
