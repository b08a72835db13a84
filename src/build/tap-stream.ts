// SPDX-License-Identifier: Apache-2.0
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";

/** The same bytes; `look` sees each chunk before it goes on. */
export async function* tapStream(content: LentBytes, look: (chunk: Uint8Array) => void): LendingGenerator {
  for await (const chunk of content) {
    look(chunk);
    yield chunk;
  }
}
