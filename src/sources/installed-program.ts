// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from "node:fs";
import type { FileEntry } from "../archive/index.ts";
import type { ByteStream } from "../core/byte-stream.ts";

/** Programs are large: each chunk costs turns of every stream that it passes, up to the store. */
const READ_SIZE = 512 * 1024;

/** A program of the cache as it stands in an image, on everybody's PATH. Parents are left to the layer. */
export function installedProgram(name: string, path: string, size: number): FileEntry {
  return {
    type: "file",
    path: `usr/local/bin/${name}`,
    mode: 0o755,
    uid: 0,
    gid: 0,
    size,
    open: () => readProgramFile(path),
  };
}

/** The bytes of a program that lies on the disk. */
function readProgramFile(path: string): ByteStream {
  return createReadStream(path, { highWaterMark: READ_SIZE }) as AsyncIterable<Buffer>;
}
