// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { createHash } from "node:crypto";
import { readSync } from "node:fs";
import { parentPort } from "node:worker_threads";

/**
 * A file to read from its start to its end, by its descriptor, which the asker opened and closes.
 * @typedef {{ file: number }} DigestTask
 * @typedef {{ sha256: string }} DigestAnswer
 */

const buffer = Buffer.allocUnsafeSlow(512 * 1024);

parentPort?.on("message", (/** @type {DigestTask} */ { file }) => {
  const hash = createHash("sha256");
  let at = 0;
  for (;;) {
    const length = readSync(file, buffer, 0, buffer.byteLength, at);
    if (length === 0) break;
    hash.update(buffer.subarray(0, length));
    at += length;
  }
  parentPort?.postMessage({ sha256: hash.digest("hex") }, []);
});
