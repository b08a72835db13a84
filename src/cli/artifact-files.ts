// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { ToolingError } from "../core/error.ts";
import { isMediaType, type LocalFile, titleOf } from "../oci/index.ts";
import type { CommandContext, CommandInput, CommandOption } from "./command.ts";
import { textOption } from "./option-value.ts";

/** Options of commands that make an artifact. */
export const ARTIFACT_OPTIONS: Readonly<Record<string, CommandOption>> = {
  "artifact-type": {
    type: "string",
    value: "TYPE",
    summary: "What the artifact is, as a media type. Required",
  },
  annotation: {
    type: "string",
    multiple: true,
    short: "a",
    value: "KEY=VALUE",
    summary: "Annotation of the manifest; may be repeated",
  },
  "dry-run": { type: "boolean", summary: "Show what would be pushed" },
};

const DEFAULT_TYPE = "application/octet-stream";

/**
 * Reads `FILE[:TYPE]` operands; what follows the last colon is a type when it looks like one.
 *
 * @throws {ToolingError} `REFERENCE_INVALID`
 */
export function parseFileOperands(operands: readonly string[], cwd: string): readonly LocalFile[] {
  return operands.map((operand) => {
    const colon = operand.lastIndexOf(":");
    const type = operand.slice(colon + 1);
    const isTyped = colon > 0 && isMediaType(type);
    const path = isTyped ? operand.slice(0, colon) : operand;
    return { path: resolve(cwd, path), title: titleOf(path), mediaType: isTyped ? type : DEFAULT_TYPE };
  });
}

/** @throws {ToolingError} `COMMAND_USAGE` */
export function requireArtifactType(options: CommandInput["options"]): string {
  const type = textOption(options, "artifact-type");
  if (type !== undefined && isMediaType(type)) return type;
  throw new ToolingError(
    "COMMAND_USAGE",
    type === undefined ? "--artifact-type is missing" : `--artifact-type "${type}" is not a media type`,
    { hint: "Say what the artifact is, as in --artifact-type application/spdx+json." },
  );
}

/**
 * The annotations of a manifest: those given, and when it was made. `SOURCE_DATE_EPOCH` fixes that time, so that the
 * same files give the same digest.
 *
 * @throws {ToolingError} `COMMAND_USAGE`
 */
export function readAnnotations(
  options: CommandInput["options"],
  { env }: Pick<CommandContext, "env">,
  now: Date,
): Readonly<Record<string, string>> {
  const given = (options["annotation"] ?? []) as readonly string[];
  const annotations = given.map((text): [string, string] => {
    const equals = text.indexOf("=");
    if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
    throw new ToolingError("COMMAND_USAGE", `--annotation is "${text}"`, { hint: "Write KEY=VALUE." });
  });
  return {
    "org.opencontainers.image.created": createdAt(env["SOURCE_DATE_EPOCH"], now),
    ...Object.fromEntries(annotations),
  };
}

function createdAt(epoch: string | undefined, now: Date): string {
  const seconds = epoch === undefined || epoch === "" ? now.getTime() / 1000 : Number(epoch);
  const date = new Date(Math.floor(seconds) * 1000);
  if (!Number.isNaN(date.getTime())) return date.toISOString().replace(".000Z", "Z");
  throw new ToolingError("COMMAND_USAGE", `SOURCE_DATE_EPOCH is "${epoch ?? ""}"`, {
    hint: "Set it to seconds since 1970, or unset it.",
  });
}
