// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { openLayoutStore, type StoreProblem } from "../../oci/index.ts";
import { isRegistryFolder, verifyRegistryFolder } from "../../registry/server/index.ts";
import type { Command } from "../command.ts";
import { EXIT_CODES } from "../exit-code.ts";
import { formatColumns } from "../measure.ts";
import { requireOperands } from "../option-value.ts";

/** `toolbox image verify` */
export const imageVerifyCommand: Command = {
  summary: "Check that a store, an OCI layout or a registry's folder is whole and unaltered",
  usage: "[STORE]",
  details: [
    "Without STORE it looks at the local store. Changes nothing. Ends with 4 when something is wrong.",
    "STORE may be a folder that `toolbox registry serve` made; stop the server before.",
  ],
  options: { deep: { type: "boolean", summary: "Read and hash every blob" } },
  examples: [
    { command: "toolbox image verify --deep", summary: "the local store, every byte of it" },
    { command: "toolbox image verify ./mirror", summary: "a layout or a registry's folder" },
  ],
  async run({ operands, options }, { cwd, paths, signal, onProgress, print, printJson }) {
    requireOperands(operands, { most: 1 });
    const [named] = operands;
    const folder = named === undefined ? paths.store : resolve(cwd, named.replace(/^oci:/, ""));
    const how = { deep: options["deep"] === true, signal, onProgress };
    const { problems, checked } = (await isRegistryFolder(folder))
      ? await verifyRegistryFolder(folder, how)
      : await (await openLayoutStore(folder, { create: false })).verify(how);
    for (const line of formatColumns(problems.map(({ kind, path }) => [kind, path]))) print(line);
    print(`${folder}: ${checked} checked, ${describeProblems(problems)}`);
    printJson({ folder, deep: how.deep, checked, problems });
    return problems.length === 0 ? 0 : EXIT_CODES.integrity;
  },
};

function describeProblems({ length }: readonly StoreProblem[]): string {
  if (length === 0) return "nothing is wrong";
  return length === 1 ? "1 problem" : `${length} problems`;
}
