// SPDX-License-Identifier: Apache-2.0
import type { Transform } from "node:stream";
import zlib from "node:zlib";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { invalidCompressed } from "./invalid-compressed.ts";
import { readThroughTransform } from "./read-through-transform.ts";
import { readZstdFrames } from "./zstd-frames.ts";

/** Decodes zstd: natively where Node.js can (22.15 and later), else in JavaScript. */
export async function* decompressZstd(content: LentBytes): LendingGenerator {
  const native = nativeDecoder();
  if (native === undefined) yield* decompressInJavaScript(content);
  else yield* readThroughTransform("zstd", bytesOf(content), native);
}

function nativeDecoder(): Transform | undefined {
  const create: unknown = Reflect.get(zlib, "createZstdDecompress");
  return typeof create === "function" ? (create({ chunkSize: 256 * 1024 }) as Transform) : undefined;
}

async function* bytesOf(content: LentBytes): LendingGenerator {
  for await (const { bytes } of readZstdFrames(content)) yield bytes;
}

async function* decompressInJavaScript(content: LentBytes): LendingGenerator {
  const { Decompress } = await import("fzstd");
  const output: Uint8Array[] = [];
  const start = (): InstanceType<typeof Decompress> =>
    new Decompress((chunk) => {
      if (chunk.byteLength > 0) output.push(new Uint8Array(chunk));
    });
  let decoder = start();
  for await (const { bytes, isLast } of readZstdFrames(content)) {
    try {
      decoder.push(bytes, isLast);
    } catch (error) {
      throw error instanceof ToolingError ? error : invalidCompressed("zstd", "is damaged", error);
    }
    if (isLast) decoder = start();
    yield* output.splice(0);
  }
}
