// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { formatReference, identityOf, parseReference, pullArtifact } from "../../oci/index.ts";
import type { Command } from "../command.ts";
import { formatColumns, formatSize } from "../measure.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { openRepository, readAccess, REGISTRY_OPTIONS, wantedOf } from "../registry-access.ts";

/** `toolbox artifact pull` */
export const artifactPullCommand: Command = {
  summary: "Fetch the files of an artifact, verified before they are there",
  usage: "REF",
  details: [
    "Names that lead out of the folder are refused. Files of the same names are replaced, folders and links are not.",
  ],
  options: {
    ...REGISTRY_OPTIONS,
    output: { type: "string", short: "o", value: "DIR", summary: "Where to. Default: the current folder" },
  },
  examples: [
    {
      command: "toolbox artifact pull registry.example.com/team/sbom:1.4 -o sboms",
      summary: "into a folder",
    },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { least: 1, most: 1 });
    const { cwd, signal, onProgress } = context;
    const reference = parseReference(operands[0] ?? "");
    const source = await openRepository(reference, context, readAccess(options));
    const descriptor = identityOf(await source.resolveManifest(wantedOf(reference), { signal }));
    const folder = resolve(cwd, textOption(options, "output") ?? ".");
    const pulled = await pullArtifact(source, descriptor, folder, { signal, onProgress });
    const { files, untitled } = pulled;
    const rows = files.map(({ path, mediaType, size }) => [path, mediaType, formatSize(size)]);
    for (const line of formatColumns(rows)) context.print(line);
    if (untitled.length > 0)
      context.note(`note: ${untitled.length} parts have no file name and were left out`);
    const { registry, repository } = reference;
    context.printJson({
      reference: formatReference({ registry, repository, digest: descriptor.digest }),
      folder,
      ...pulled,
    });
    return 0;
  },
};
