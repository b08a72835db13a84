// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from "node:path";
import { bundleSession } from "../../engines/index.ts";
import { openLayoutStore } from "../../oci/index.ts";
import type { Command } from "../command.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { engineHost, openRun } from "../run-session.ts";

/** `toolbox bundle` */
export const bundleCommand: Command = {
  summary: "Write a runtime-spec bundle of a session, for runc, crun and the like",
  usage: "DIR [CMD [ARGUMENT...]]",
  details: [
    "Writes DIR/config.json; the root file system stays in the data folder, unpacked once and read-only.",
    "The session's variables and mounts are in it, credentials included: it is readable by you alone.",
  ],
  options: {
    image: { type: "string", value: "NAME", summary: "An image of the workspace, or any reference" },
    tty: { type: "boolean", short: "t", summary: "The command will have a terminal" },
    root: { type: "boolean", summary: "Run as root inside instead of as you" },
  },
  examples: [
    { command: "toolbox bundle out helm lint .", summary: "then: runc run --bundle out lint" },
    { command: "toolbox bundle -t out", summary: "a shell" },
  ],
  passThrough: true,
  async run({ operands, options }, context) {
    requireOperands(operands.slice(0, 1), { least: 1, most: 1 });
    const [folder = "", ...argv] = operands;
    const target = resolve(context.cwd, folder);
    const request = {
      argv,
      image: textOption(options, "image"),
      // Who can run an unpacked image itself is who can unpack one.
      engine: "embedded",
      asRoot: options["root"] === true,
    };
    const { session } = await openRun(request, context);
    const { reference } = session.image;
    const supply = {
      store: await openLayoutStore(context.paths.store),
      ...(reference !== undefined && {
        openRegistry: async () => (await import("../registry-access.ts")).openRepository(reference, context),
      }),
    };
    const { signal, onProgress } = context;
    const bundled = { ...session, tty: options["tty"] === true };
    await bundleSession({ session: bundled, supply, folder: target }, engineHost(context), {
      signal,
      onProgress,
    });
    context.print(join(target, "config.json"));
    context.printJson({ bundle: target, image: session.image.digest, argv: session.argv });
    return 0;
  },
};
