// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import {
  copyImage,
  type Descriptor,
  formatReference,
  openLayoutStore,
  parseReference,
} from "../../oci/index.ts";
import { readRunLock, requireWorkspace } from "../../workspace/index.ts";
import type { Command, CommandContext } from "../command.ts";
import { platformsOption, requireOperands } from "../option-value.ts";
import { openRepository, readAccess, REGISTRY_OPTIONS, wantedOf } from "../registry-access.ts";
import { hostPlatform } from "../run-session.ts";

/** `toolbox pull` */
export const pullCommand: Command = {
  summary: "Fetch an image into the local store, verified",
  usage: "[REF]",
  details: ["Without a reference it fetches the image that toolbox.lock uses, by its digest."],
  options: {
    ...REGISTRY_OPTIONS,
    platform: {
      type: "string",
      multiple: true,
      value: "OS/CPU",
      summary: "Default: the one of this machine",
    },
    "all-platforms": { type: "boolean", summary: "Everything that the index lists" },
  },
  examples: [
    { command: "toolbox pull", summary: "what the workspace uses" },
    { command: "toolbox pull registry.example.com/team/tools:1.4 --all-platforms", summary: "for a mirror" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { most: 1 });
    const reference = parseReference(operands[0] ?? (await usedReference(context)));
    const { signal, onProgress, paths } = context;
    const repository = await openRepository(reference, context, readAccess(options));
    const root = await repository.resolveManifest(wantedOf(reference), { signal });
    const store = await openLayoutStore(paths.store);
    const platforms =
      options["all-platforms"] === true ? undefined : (platformsOption(options) ?? [hostPlatform()]);
    const name = formatReference(reference);
    await copyImage(repository, store, plain(root), { platforms, tag: name, signal, onProgress });
    context.print(`${name}  ${root.digest}`);
    context.printJson({
      reference: name,
      digest: root.digest,
      platforms: platforms ?? "all",
      store: paths.store,
    });
    return 0;
  },
};

/** Annotations of a listing are not part of what is stored under a name. */
function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

async function usedReference({ start }: CommandContext): Promise<string> {
  const { lockFile } = await requireWorkspace(start);
  const { use } = await readRunLock(lockFile);
  if (use !== undefined) return `${use.reference.replace(/@.*$/, "")}@${use.digest}`;
  throw new ToolingError("COMMAND_USAGE", `"${lockFile}" uses no image, so a reference is needed`, {
    hint: "Write `toolbox pull REF`.",
  });
}
