// SPDX-License-Identifier: Apache-2.0
import { readLockfile, requireWorkspace } from "../../workspace/index.ts";
import type { Command, CommandContext } from "../command.ts";
import { formatColumns } from "../measure.ts";
import { requireOperands } from "../option-value.ts";
import { loadShippedCatalog } from "../workspace-files.ts";

/** `toolbox tools` */
export const toolsCommand: Command = {
  summary: "List the tools of the workspace's images, of any image, or of the catalog",
  usage: "[REF]",
  details: ["An image answers from the local store or from its registry; no layer is pulled."],
  options: { catalog: { type: "boolean", summary: "All tools that `toolbox add` knows" } },
  examples: [
    { command: "toolbox tools", summary: "what toolbox.lock holds" },
    { command: "toolbox tools registry.example.com/team/tools:1.4", summary: "what an image holds" },
    { command: "toolbox tools --catalog", summary: "what can be added" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { most: 1 });
    const [reference] = operands;
    if (options["catalog"] === true) return await listCatalog(context);
    if (reference !== undefined) return await listImage(reference, context);
    return await listLock(context);
  },
};

async function listLock({ start, print, printJson }: CommandContext): Promise<number> {
  const { lockFile } = await requireWorkspace(start);
  const { tools, images } = await readLockfile(lockFile);
  const rows = Object.values(tools).map(({ name, version, about }) => {
    const inside = Object.entries(images).flatMap(([image, flavour]) =>
      flavour.tools.includes(name) ? [image] : [],
    );
    return { name, version, summary: about.summary, images: inside, examples: about.examples };
  });
  for (const line of formatColumns(rows.map(({ name, version, summary }) => [name, version, summary])))
    print(line);
  printJson({ tools: rows });
  return 0;
}

async function listCatalog({ print, printJson }: CommandContext): Promise<number> {
  const tools = [...(await loadShippedCatalog()).values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const line of formatColumns(tools.map(({ name, summary }) => [name, summary]))) print(line);
  printJson({
    tools: tools.map(({ name, summary, homepage, license, sources }) => {
      return { name, summary, homepage, license, sources: sources.map(({ source }) => source) };
    }),
  });
  return 0;
}

async function listImage(reference: string, context: CommandContext): Promise<number> {
  const { readImageTools } = await import("../image-tools.ts");
  const { digest, tools } = await readImageTools(reference, context);
  for (const line of formatColumns(tools.map(({ name, version, summary }) => [name, version, summary]))) {
    context.print(line);
  }
  context.printJson({ reference, digest, tools });
  return 0;
}
