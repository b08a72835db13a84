// SPDX-License-Identifier: Apache-2.0
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
  const names = (await listFolder(folder))
    .filter((name) => name.endsWith(".yaml") && name !== TOOLCHAINS)
    .toSorted();
  const definitions = await Promise.all(
    names.map(async (name) =>
      parseToolDefinition(await readFile(join(folder, name), "utf8"), join(folder, name)),
    ),
  );
  return new Map(definitions.map((definition) => [definition.name, definition]));
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
