// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { systemPrograms } from "../engines/index.ts";
import type { CommandContext } from "./command.ts";
import type { EngineTarget } from "./load-archive.ts";

/**
 * Has docker or podman write an image of its store into a file, as `docker save` does.
 *
 * @throws {ToolingError} `ENGINE_NOT_FOUND`, `ENGINE_FAILED`
 */
export async function saveArchive(
  { engine, name }: EngineTarget,
  file: string,
  { env, signal, onProgress }: CommandContext,
): Promise<void> {
  const program = await systemPrograms.find(engine, env["PATH"]);
  if (program === undefined) {
    throw new ToolingError("ENGINE_NOT_FOUND", `program "${engine}" is not installed`, {
      hint: `Install ${engine}, or name the image in its registry.`,
    });
  }
  const what = `save from ${engine}`;
  onProgress({ type: "started", what });
  const { exitCode, stderr } = await systemPrograms.capture(program, ["save", "--output", file, name], {
    env,
    signal,
  });
  if (exitCode !== 0) {
    throw new ToolingError(
      "ENGINE_FAILED",
      `${engine} does not save "${name}": ${stderr.trim().slice(0, 500)}`,
      { hint: `See whether \`${engine} image inspect ${name}\` works.` },
    );
  }
  onProgress({ type: "finished", what, skipped: false });
}
