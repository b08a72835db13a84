// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { SourceContext } from "../tool-source.ts";
import { type Candidate, explainNoCandidate, listCandidates, selectCandidates } from "./candidates.ts";
import { type CoreMetadata, parseCoreMetadata } from "./core-metadata.ts";
import { type Demand, describeDemand, projectOf } from "./demand.ts";
import { fetchOfferedMetadata, fetchWheel, readIndexedFiles } from "./index-client.ts";
import type { ReleaseIndex } from "./resolver.ts";
import { satisfiesSpecifiers, type Specifier } from "./specifier.ts";
import type { TargetPython } from "./target-python.ts";
import { parsePythonVersion } from "./version.ts";
import { readDistInfo } from "./wheel-archive.ts";

/** Whom an index answers, for errors. */
export interface ReleaseIndexOptions {
  /** Name of the tool that is locked. */
  readonly tool: string;
  readonly target: TargetPython;
}

/** The machine's own Python index, as one target sees it. Each project and each wheel is looked at once. */
export function openReleaseIndex(
  { tool, target }: ReleaseIndexOptions,
  context: SourceContext,
): ReleaseIndex {
  const known = new Map<string, Promise<readonly Candidate[]>>();
  const read = new Map<string, Promise<CoreMetadata | undefined>>();
  const listAll = async (project: string): Promise<readonly Candidate[]> =>
    listCandidates(project, (await readIndexedFiles(project, context)) ?? [], target);
  return {
    findCandidates: async (project, specifiers) => {
      const all = known.get(project) ?? listAll(project);
      known.set(project, all);
      return selectCandidates(await all, specifiers);
    },
    readMetadata: async (candidate) => {
      const { sha256 } = candidate.file;
      const metadata = read.get(sha256) ?? readUsableMetadata(candidate, tool, target, context);
      read.set(sha256, metadata);
      return await metadata;
    },
    describeConflict: async (demands) => await describeConflict(demands, tool, target, context),
  };
}

async function readUsableMetadata(
  candidate: Candidate,
  tool: string,
  target: TargetPython,
  context: SourceContext,
): Promise<CoreMetadata | undefined> {
  const metadata = await readMetadata(candidate, context);
  if (metadata === undefined) {
    const note = `"${candidate.file.name}" has no metadata that can be read, and is left out`;
    context.onProgress?.({ type: "noted", what: `lock ${tool}`, note });
    return undefined;
  }
  const python = parsePythonVersion(target.version);
  return python !== undefined && satisfiesSpecifiers(python, metadata.requiresPython) ? metadata : undefined;
}

/** Absent: there is none, or it is another release's. */
async function readMetadata(
  { project, version, file }: Candidate,
  context: SourceContext,
): Promise<CoreMetadata | undefined> {
  const text =
    (await fetchOfferedMetadata(file, context)) ??
    (await readDistInfo(
      await fetchWheel({ project, ...file }, context),
      file.name,
      "METADATA",
      context.signal,
    ));
  const metadata = parseCoreMetadata(text ?? "");
  const isSame =
    metadata?.project === project &&
    satisfiesSpecifiers(version, [
      {
        operator: "==",
        text: metadata.version,
        version: parsePythonVersion(metadata.version),
        isPrefix: false,
      },
    ]);
  return isSame ? metadata : undefined;
}

async function describeConflict(
  demands: readonly Demand[],
  tool: string,
  target: TargetPython,
  context: SourceContext,
): Promise<Error> {
  const [first] = demands;
  const project = projectOf(first?.node ?? tool);
  const specifiers: readonly Specifier[] = demands.flatMap((demand) => demand.specifiers);
  const files = await readIndexedFiles(project, context);
  const usable = selectCandidates(listCandidates(project, files ?? [], target), specifiers);
  const why = demands.some(({ url }) => url !== undefined)
    ? "it is to come from an address of its own, not from the index"
    : usable.length > 0
      ? "no release that fits has dependencies that can all be met"
      : explainNoCandidate(project, files, specifiers, target);
  const chains = [...new Set(demands.map(describeDemand))].join(", ");
  return new ToolingError(
    "PYTHON_DEPENDENCY_UNMET",
    `"${project}" cannot be had for tool "${tool}" on ${target.platform}: ${why}; ${chains}`,
    {
      hint: 'Choose another version or source of the tool, or narrow one of them with "requirements" in its definition.',
    },
  );
}
