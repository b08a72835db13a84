// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { EngineHost } from "../engines/index.ts";
import type { CommandContext } from "./command.ts";
import { type Finding, fine } from "./finding.ts";
import { listShims, renderShim, shimFolder } from "./shim.ts";

/** Looks at every shim on PATH, and at those in the usual folder: does its name really lead to it, and it to us? */
export async function diagnoseShims(
  context: CommandContext,
  { programs, env }: EngineHost,
): Promise<Finding[]> {
  const onPath = (env["PATH"] ?? "").split(":").filter((folder) => folder.startsWith("/"));
  const usual = shimFolder({}, context);
  const findings: Finding[] = [];
  for (const folder of new Set([...onPath.map((each) => resolve(each)), usual])) {
    for (const tool of await listShims(folder)) {
      const file = join(folder, tool);
      const runs = await programs.find(tool, env["PATH"]);
      findings.push(await diagnoseShim({ tool, file, folder, runs }, context));
    }
  }
  return findings;
}

interface FoundShim {
  readonly tool: string;
  readonly file: string;
  readonly folder: string;
  /** What the name alone starts. Absent: nothing. */
  readonly runs: string | undefined;
}

async function diagnoseShim(
  { tool, file, folder, runs }: FoundShim,
  context: CommandContext,
): Promise<Finding> {
  const check = `shim ${tool}`;
  if (runs === undefined || resolve(runs) !== file) {
    const message =
      runs === undefined
        ? `"${tool}" alone does not find ${file}`
        : `"${tool}" alone runs ${runs}, which stands before ${file}`;
    const cure = `Put ${folder} first on PATH, or run \`toolbox shims remove ${tool} --dir ${folder}\`.`;
    return { check, state: "warning", message, cure };
  }
  const text = await readFile(file, "utf8").catch(() => "");
  if (text === renderShim(tool, context)) return fine(check, `"${tool}" alone runs the image's, by ${file}`);
  const message = `${file} was written by another toolbox, or for another state folder`;
  const cure = `Run \`toolbox shims install ${tool} --dir ${folder}\`.`;
  return { check, state: "warning", message, cure };
}
