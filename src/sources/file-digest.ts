// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";

/** Fits into a core's own cache, from which it is hashed at once. */
const READ_SIZE = 256 * 1024;

/** SHA-256 of a file's bytes, as lower-case hex. */
export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  // One buffer for the whole file: a new one for each read takes longer than the hashing.
  const buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_SIZE, null);
      if (bytesRead === 0) return hash.digest("hex");
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
