// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { EngineHost } from "../engines/index.ts";
import { openLayoutStore } from "../oci/index.ts";
import {
  digestWishes,
  findWorkspace,
  localImageName,
  type Lockfile,
  readRunLock,
} from "../workspace/index.ts";
import type { CommandContext } from "./command.ts";
import { diagnoseSession } from "./diagnose-session.ts";
import { type Finding, fine } from "./finding.ts";
import { readImageTools } from "./image-tools.ts";
import { isShim } from "./shim.ts";
import { readWorkspaceFiles } from "./workspace-files.ts";

/** Looks at the workspace here: lock against wishes, images against lock, programs on PATH, what the session needs. */
export async function diagnoseWorkspace(context: CommandContext, engines: EngineHost): Promise<Finding[]> {
  if ((await findWorkspace(context.start)) === undefined)
    return [fine("workspace", "there is no toolbox.yaml here or above")];
  try {
    const { workspace, lock, place } = await readWorkspaceFiles(context);
    if (lock === undefined) return [noLock(place.lockFile)];
    return [
      compareWishes(digestWishes(workspace), lock),
      ...(await diagnoseImages(lock, context)),
      ...(await findShadows(lock, engines)),
      ...(await diagnoseSession(await readRunLock(place.lockFile), place.folder, { context, engines })),
    ];
  } catch (error) {
    if (!(error instanceof ToolingError)) throw error;
    return [{ check: "workspace", state: "broken", message: error.message, cure: error.hint }];
  }
}

function noLock(file: string): Finding {
  return { check: "lock", state: "broken", message: `"${file}" does not exist`, cure: "Run `toolbox lock`." };
}

function compareWishes(digest: string, lock: Lockfile): Finding {
  if (lock.workspace === digest) return fine("lock", "toolbox.lock answers toolbox.yaml");
  return {
    check: "lock",
    state: "broken",
    message: "toolbox.yaml was changed after toolbox.lock was made",
    cure: "Run `toolbox lock`.",
  };
}

async function diagnoseImages(lock: Lockfile, context: CommandContext): Promise<Finding[]> {
  const store = await openLayoutStore(context.paths.store, { create: false }).catch(() => undefined);
  const names = Object.keys(lock.images);
  return await Promise.all(
    names.map(async (image): Promise<Finding> => {
      const check = `image ${image}`;
      const reference = localImageName(lock.registry, image);
      const known = await store?.resolveManifest(reference).catch(() => undefined);
      if (known === undefined)
        return {
          check,
          state: "warning",
          message: "it is not built on this machine",
          cure: "Run `toolbox build`.",
        };
      const { tools } = await readImageTools(reference, context);
      const built = tools.map(({ name, version }) => `${name} ${version}`);
      const locked = (lock.images[image]?.tools ?? []).map((name) => `${name} ${lock.tools[name]?.version}`);
      const differing = locked.filter((tool) => !built.includes(tool));
      if (differing.length === 0 && built.length === locked.length)
        return fine(check, "it holds what is locked");
      const message = `the built one is not what is locked (${differing.join(", ") || "it holds more"})`;
      return { check, state: "broken", message, cure: "Run `toolbox build`." };
    }),
  );
}

async function findShadows(lock: Lockfile, { programs, env }: EngineHost): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const binary of Object.values(lock.tools).flatMap(({ about }) => about.binaries)) {
    const file = await programs.find(binary, env["PATH"]);
    if (file === undefined) continue;
    // Shims have findings of their own.
    if (await isShim(file)) continue;
    const message = `"${binary}" alone runs ${file}; \`toolbox ${binary}\` runs the image's`;
    findings.push(fine(`path ${binary}`, message));
  }
  return findings;
}
