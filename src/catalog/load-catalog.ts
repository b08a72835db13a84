// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isSystemError, ToolingError } from "../core/error.ts";
import { type GoToolchain, goToolchainsSchema } from "./go-toolchain.ts";
import { type ToolDefinition, toolDefinitionSchema } from "./tool-definition.ts";
import { parseYamlDefinition } from "./yaml-definition.ts";

/** The file of a catalog folder that lists toolchains and no tool. */
const TOOLCHAINS = "toolchains.yaml";

/**
 * Reads every `NAME.yaml` of a catalog folder, by name. Each file holds one tool and is named after it.
 *
 * @throws {ToolingError} `CATALOG_INVALID`, `FILE_NOT_FOUND`
 */
export async function loadCatalog(folder: string): Promise<ReadonlyMap<string, ToolDefinition>> {
  const names = await listTools(folder);
  const definitions = await Promise.all(
    names.map(async (name) => {
      const file = definitionFile(folder, name);
      return parseToolDefinition(await readFile(file, "utf8"), file);
    }),
  );
  return new Map(definitions.map((definition) => [definition.name, definition]));
}

/** Tool definitions by name. */
export type ToolCatalog = Pick<ReadonlyMap<string, ToolDefinition>, "get" | "has" | "keys">;

/**
 * A catalog folder whose definitions are read one by one, when each is first asked for: a build asks for a few, and
 * reading all of them takes longer than everything else that a build without news does.
 *
 * @throws {ToolingError} `FILE_NOT_FOUND`; `get` of the catalog: `CATALOG_INVALID`
 */
export async function openCatalog(folder: string): Promise<ToolCatalog> {
  const names = new Set(await listTools(folder));
  const known = new Map<string, ToolDefinition>();
  const read = (name: string): ToolDefinition => {
    const file = definitionFile(folder, name);
    const definition = parseToolDefinition(readFileSync(file, "utf8"), file);
    known.set(name, definition);
    return definition;
  };
  return {
    get: (name) => (names.has(name) ? (known.get(name) ?? read(name)) : undefined),
    has: (name) => names.has(name),
    keys: () => names.keys(),
  };
}

/**
 * Reads one tool definition. A file that is named otherwise than its tool is an error.
 *
 * @throws {ToolingError} `CATALOG_INVALID`
 */
export function parseToolDefinition(text: string, file: string): ToolDefinition {
  const definition = parseYamlDefinition(text, file, toolDefinitionSchema);
  if (basename(file) === `${definition.name}.yaml`) return definition;
  throw new ToolingError("CATALOG_INVALID", `tool "${definition.name}" stands in "${basename(file)}"`, {
    hint: `Rename the file to "${definition.name}.yaml".`,
    position: { file, line: 1, column: 1 },
  });
}

/**
 * Reads the Go toolchains of a catalog folder, newest first as they stand there.
 *
 * @throws {ToolingError} `CATALOG_INVALID`, `FILE_NOT_FOUND`
 */
export async function loadGoToolchains(folder: string): Promise<readonly GoToolchain[]> {
  const file = join(folder, TOOLCHAINS);
  try {
    return parseYamlDefinition(await readFile(file, "utf8"), file, goToolchainsSchema).toolchains;
  } catch (error) {
    throw isSystemError(error, "ENOENT") ? missing(file, error) : error;
  }
}

/** Names of the tools that a folder has definitions of, sorted. */
async function listTools(folder: string): Promise<readonly string[]> {
  return (await listFolder(folder))
    .filter((name) => name.endsWith(".yaml") && name !== TOOLCHAINS)
    .map((name) => basename(name, ".yaml"))
    .toSorted();
}

function definitionFile(folder: string, name: string): string {
  return join(folder, `${name}.yaml`);
}

async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw isSystemError(error, "ENOENT", "ENOTDIR") ? missing(folder, error) : error;
  }
}

function missing(path: string, cause: unknown): ToolingError {
  return new ToolingError("FILE_NOT_FOUND", `catalog "${path}" does not exist`, {
    hint: "Install the package again: its catalog is missing.",
    cause,
  });
}
