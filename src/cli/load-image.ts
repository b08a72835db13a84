// SPDX-License-Identifier: Apache-2.0
import type { ImageReport } from "../build/index.ts";
import { selectEngine } from "../engines/index.ts";
import { openLayoutStore } from "../oci/index.ts";
import type { CommandContext } from "./command.ts";
import { engineHost, hostPlatform } from "./run-session.ts";

/** Hands a built image to the container engine at hand, for this machine's platform. */
export async function loadImage(image: ImageReport, context: CommandContext): Promise<void> {
  const { env, paths, signal, onProgress } = context;
  const { engine } = await selectEngine(env["TOOLBOX_ENGINE"], engineHost(context), { signal });
  const store = await openLayoutStore(paths.store);
  const session = { digest: image.index.digest, reference: image.reference, platform: hostPlatform() };
  const { location } = await engine.ensureImage(session, { store }, { signal, onProgress });
  context.note(`${image.name} is in ${engine.name} as ${location}`);
}
