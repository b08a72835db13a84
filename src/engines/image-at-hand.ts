// SPDX-License-Identifier: Apache-2.0
import type { SessionImage } from "../session/index.ts";
import { PROBE_TIMEOUT } from "./container-status.ts";
import type { EngineHost, EngineName } from "./engine.ts";
import { readHeldImage } from "./held-image.ts";
import { readUnpackedImage } from "./unpacked-image.ts";

/**
 * Whether an engine has an image at hand, so that a command starts without fetching it. Changes nothing, and does not
 * believe our own note alone: somebody may have pruned.
 */
export async function hasImageAtHand(
  name: EngineName,
  image: SessionImage,
  host: EngineHost,
): Promise<boolean> {
  const isContainer = name === "docker" || name === "podman" || name === "nerdctl";
  const held = await readHeldImage(isContainer ? name : "embedded", image, host);
  if (held === undefined) return false;
  if (!isContainer) return (await readUnpackedImage(held.location)) !== undefined;
  const program = await host.programs.find(name, host.env["PATH"]);
  if (program === undefined) return false;
  const options = { env: host.env, timeout: PROBE_TIMEOUT };
  return (await host.programs.capture(program, ["image", "inspect", held.location], options)).exitCode === 0;
}
