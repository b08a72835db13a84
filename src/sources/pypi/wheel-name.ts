// SPDX-License-Identifier: Apache-2.0
import { normalizeProject } from "./project-name.ts";
import { parsePythonVersion, type PythonVersion } from "./version.ts";

/** What a wheel's file name says of it (PEP 427). */
export interface WheelName {
  /** Normalised. */
  readonly project: string;
  readonly version: PythonVersion;
  /** Number and rest; `[0, ""]` when the name has none. */
  readonly build: readonly [number, string];
  /** Each `python-abi-platform` that its compressed tag set stands for. */
  readonly tags: readonly string[];
}

const WORD = "([A-Za-z0-9_.+!]+)";
const PATTERN = new RegExp(`^${WORD}-${WORD}(?:-${WORD})?-${WORD}-${WORD}-${WORD}\\.whl$`);

/** Reads a wheel's file name. Absent: it is none. */
export function parseWheelName(fileName: string): WheelName | undefined {
  const match = PATTERN.exec(fileName);
  if (match === null) return undefined;
  const [, name = "", versionText = "", buildText, python = "", abi = "", platform = ""] = match;
  const version = parsePythonVersion(versionText);
  const build = parseBuild(buildText);
  if (version === undefined || build === undefined) return undefined;
  return { project: normalizeProject(name), version, build, tags: expandTags(python, abi, platform) };
}

function parseBuild(text: string | undefined): readonly [number, string] | undefined {
  if (text === undefined) return [0, ""];
  const [, number, rest = ""] = /^(\d+)(.*)$/.exec(text) ?? [];
  return number === undefined ? undefined : [Number(number), rest];
}

function expandTags(pythons: string, abis: string, platforms: string): readonly string[] {
  return pythons
    .split(".")
    .flatMap((python) =>
      abis
        .split(".")
        .flatMap((abi) => platforms.split(".").map((platform) => `${python}-${abi}-${platform}`)),
    );
}
