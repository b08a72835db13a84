// SPDX-License-Identifier: Apache-2.0
import type { Command } from "../command.ts";
import { choiceOption, requireOperands, textOption } from "../option-value.ts";
import { pinImage } from "../pinned-image.ts";

/** `toolbox alias` */
export const aliasCommand: Command = {
  summary: "Print the shell alias or Makefile target for colleagues without toolbox",
  usage: "",
  details: [
    "It runs the image by digest with the folder at /work, as `docker run` by hand would. `toolbox CMD` does more: your",
    "own user, a HOME that stays, and the credentials that the session names.",
  ],
  options: {
    make: { type: "boolean", summary: "A target for a Makefile instead of a shell alias" },
    image: {
      type: "string",
      value: "NAME",
      summary: "An image of the workspace (default: the session's, or `use`)",
    },
    engine: { type: "string", value: "NAME", summary: "docker (default), podman or nerdctl" },
  },
  examples: [
    { command: "toolbox alias >> ~/.bashrc", summary: "then: toolbox helm lint ." },
    { command: "toolbox alias --make >> Makefile", summary: 'then: make toolbox CMD="helm lint ."' },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const engine = choiceOption(options, "engine", ["docker", "podman", "nerdctl"]) ?? "docker";
    const { reference, pinned } = await pinImage(textOption(options, "image"), context);
    const text = options["make"] === true ? makeTarget(engine, pinned) : shellAlias(engine, pinned);
    context.print(`# ${reference}`);
    context.print(text);
    context.printJson({ reference, pinned, text });
    return 0;
  },
};

/** `-t` only where both ends are terminals, so that it works in pipes and in CI too. */
function shellAlias(engine: string, pinned: string): string {
  const terminal = "$([ -t 0 ] && [ -t 1 ] && echo -t)";
  return `alias toolbox='${engine} run -i ${terminal} --rm -v "$(pwd)":/work -w /work ${pinned}'`;
}

function makeTarget(engine: string, pinned: string): string {
  const terminal = "$$([ -t 0 ] && [ -t 1 ] && echo -t)";
  return [
    `TOOLBOX_IMAGE = ${pinned}`,
    ".PHONY: toolbox",
    "toolbox:",
    `\t@${engine} run -i ${terminal} --rm -v "$(CURDIR)":/work -w /work $(TOOLBOX_IMAGE) $(CMD)`,
  ].join("\n");
}
