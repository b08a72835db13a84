// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "../core/error.ts";

/** An image on disk: `root/` is its file system, `image.json` what its config says. */
export interface UnpackedImage {
  /** Absolute path of the file system tree. */
  readonly root: string;
  /** `NAME=VALUE` each, from the image's config. */
  readonly env: readonly string[];
  /** Whether the image's own `/usr/bin/env` can reset signals, so that it may start the command. */
  readonly resetsSignals: boolean;
  /** Whether the image has a setpriv(1), which can take the last capabilities from root. */
  readonly dropsCapabilities: boolean;
}

/** Reads what unpacking left in an image's folder. Absent: it is not there (any more). */
export async function readUnpackedImage(folder: string): Promise<UnpackedImage | undefined> {
  try {
    const about = JSON.parse(await readFile(join(folder, "image.json"), "utf8")) as UnpackedImage;
    return { ...about, root: join(folder, "root") };
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** GNU env since coreutils 8.31; others (busybox) do not hold the option's name. */
export async function resetsSignals(program: string): Promise<boolean> {
  try {
    const { size } = await stat(program);
    return size < 16 * 1024 * 1024 && (await readFile(program)).includes("default-signal");
  } catch (error) {
    if (isSystemError(error)) return false;
    throw error;
  }
}
