// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { isSystemError, ToolingError } from "../../core/error.ts";
import { addTool, checkWorkspaceText, requireWorkspace } from "../../workspace/index.ts";
import type { Command } from "../command.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { unknownToolError } from "../unknown-tool.ts";
import { openShippedCatalog } from "../workspace-files.ts";

/** `toolbox add` */
export const addCommand: Command = {
  summary: "Add tools to toolbox.yaml, or change their range; comments and formatting stay",
  usage: "TOOL[@RANGE]...",
  options: {
    image: { type: "string", value: "NAME", summary: "The image to add them to. Default: the first one" },
  },
  examples: [
    { command: "toolbox add yq", summary: "any version" },
    { command: 'toolbox add kubectl@1.34 "helm@^3.19"', summary: "versions in a range" },
  ],
  async run({ operands, options }, { start, print, printJson, note }) {
    requireOperands(operands, { least: 1, most: Number.POSITIVE_INFINITY });
    const { file } = await requireWorkspace(start);
    const catalog = await openShippedCatalog();
    const wishes = operands.map(parseWish);
    const before = await readText(file);
    const { tools: own } = await checkWorkspaceText(before, file, { catalog });
    let text = before;
    for (const { name, range } of wishes) {
      if (!catalog.has(name) && !own.has(name))
        throw unknownToolError(name, [...catalog.keys(), ...own.keys()]);
      text = await addTool(text, file, name, { range, image: textOption(options, "image") });
    }
    await checkWorkspaceText(text, file, { catalog });
    if (text !== before) await writeFileAtomically(file, text);
    for (const { name, range } of wishes) print(`${name} ${range ?? "*"}`);
    if (text === before) note("toolbox.yaml has all of it already.");
    else note("Next: `toolbox lock`.");
    printJson({
      file,
      changed: text !== before,
      tools: wishes.map(({ name, range }) => ({ name, range: range ?? "*" })),
    });
    return 0;
  },
};

function parseWish(text: string): { name: string; range?: string } {
  const at = text.indexOf("@");
  if (at === -1) return { name: text };
  const range = text.slice(at + 1).trim();
  if (at > 0 && range !== "") return { name: text.slice(0, at), range };
  throw new ToolingError("COMMAND_USAGE", `"${text}" is not a tool with a range`, {
    hint: "Write TOOL or TOOL@RANGE, as in helm@^3.19.",
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (!isSystemError(error, "ENOENT")) throw error;
    throw new ToolingError("WORKSPACE_NOT_FOUND", `"${file}" does not exist`, {
      hint: "Run `toolbox init` to make it.",
      cause: error,
    });
  }
}
