// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { systemPrograms } from "../engines/index.ts";
import { type ContentSource, type Descriptor, writeDockerArchive } from "../oci/index.ts";
import type { CommandContext } from "./command.ts";

/** An engine, and what the image is called there. */
export interface EngineTarget {
  readonly engine: "docker" | "podman";
  readonly name: string;
}

/**
 * Hands one platform of an image to `docker load` or `podman load`. The engine stores it its own way; the digest of
 * the config, which is the image's id there, stays.
 *
 * @throws {ToolingError} `ENGINE_NOT_FOUND`, `ENGINE_FAILED`
 */
export async function loadArchive(
  source: ContentSource,
  descriptor: Descriptor,
  { engine, name }: EngineTarget,
  { env, signal, onProgress }: CommandContext,
): Promise<void> {
  const program = await systemPrograms.find(engine, env["PATH"]);
  if (program === undefined) {
    throw new ToolingError("ENGINE_NOT_FOUND", `program "${engine}" is not installed`, {
      hint: `Install ${engine}, or write a file with docker-archive:FILE.`,
    });
  }
  const what = `load into ${engine}`;
  onProgress({ type: "started", what });
  const input = writeDockerArchive(source, [{ descriptor, reference: name }], { signal });
  const { exitCode, stderr } = await systemPrograms.capture(program, ["load"], { env, input, signal });
  if (exitCode !== 0) {
    throw new ToolingError(
      "ENGINE_FAILED",
      `${engine} does not load the image: ${stderr.trim().slice(0, 500)}`,
      {
        hint: `See whether \`${engine} info\` works.`,
      },
    );
  }
  onProgress({ type: "finished", what, skipped: false });
}
