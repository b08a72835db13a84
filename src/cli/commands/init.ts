// SPDX-License-Identifier: Apache-2.0
import { readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { newWorkspaceText, workspaceAt } from "../../workspace/index.ts";
import { openShippedCatalog, SCHEMA_FILE } from "../workspace-files.ts";
import { unknownToolError } from "../unknown-tool.ts";
import type { Command } from "../command.ts";
import { textOption } from "../option-value.ts";

const SCHEMA = "node_modules/@best-tools/toolbox/schema/toolbox.schema.json";

/** `toolbox init` */
export const initCommand: Command = {
  summary: "Write a toolbox.yaml with one image",
  usage: "[TOOL...]",
  details: [
    "Without tools it looks at the files of the folder: charts ask for helm, kustomizations for kustomize,",
    "shell scripts for shellcheck, YAML for yq. A toolbox.yaml that is there already stays as it is.",
  ],
  options: {
    image: {
      type: "string",
      value: "NAME",
      summary: "Name of the image. Default: the name of the folder, with -tools",
    },
    registry: { type: "string", value: "REF", summary: "Registry and path that `toolbox publish` pushes to" },
  },
  examples: [
    { command: "toolbox init", summary: "see what the folder needs" },
    { command: "toolbox init kubectl helm jq --image team-tools", summary: "name the tools" },
  ],
  async run({ operands, options }, { start, print, printJson, note }) {
    const { file, folder } = workspaceAt(start);
    if (await exists(file)) {
      note(`${file} is there already and stays as it is; \`toolbox add TOOL\` changes it.`);
      printJson({ file, created: false });
      return 0;
    }
    const catalog = await openShippedCatalog();
    const unknown = operands.find((name) => !catalog.has(name));
    if (unknown !== undefined) throw unknownToolError(unknown, catalog.keys());
    const tools =
      operands.length > 0 ? operands : (await detectTools(folder)).filter((name) => catalog.has(name));
    const schema = (await exists(join(folder, SCHEMA))) ? SCHEMA : SCHEMA_FILE;
    const image = textOption(options, "image") ?? imageName(folder);
    const text = newWorkspaceText({ image, tools, registry: textOption(options, "registry"), schema });
    await writeFileAtomically(file, text);
    print(`wrote ${file}: image "${image}" with ${tools.join(", ")}`);
    note("Next: `toolbox add TOOL` for more tools, then `toolbox lock`.");
    printJson({ file, created: true, image, tools });
    return 0;
  },
};

/** File names, by what they ask for. */
const SIGNS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^Chart\.ya?ml$/, ["helm", "kubectl"]],
  [/^kustomization\.ya?ml$/, ["kustomize", "kubectl"]],
  [/\.sh$/, ["shellcheck", "shfmt"]],
  [/^\.yamllint(\.ya?ml)?$/, ["yamllint"]],
  [/\.ya?ml$/, ["yq"]],
];

/** What the files of a folder, two levels deep, ask for. Never empty. */
async function detectTools(folder: string): Promise<string[]> {
  const names = await listNames(folder, 2);
  const found = SIGNS.flatMap(([pattern, tools]) => (names.some((name) => pattern.test(name)) ? tools : []));
  return [...new Set(["jq", ...found])].toSorted();
}

async function listNames(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = entries
    .filter((entry) => entry.isDirectory() && depth > 0 && !/^(\.|node_modules$)/.test(entry.name))
    .map((entry) => listNames(join(folder, entry.name), depth - 1));
  return [
    ...entries.filter((entry) => entry.isFile()).map(({ name }) => name),
    ...(await Promise.all(below)).flat(),
  ];
}

function imageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return `${name === "" ? "team" : name}-tools`;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
