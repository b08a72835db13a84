// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { parentPort } from "node:worker_threads";
import { gzip } from "libdeflate";

/**
 * One member to compress. Both buffers travel by transfer, none is copied.
 * @typedef {{ buffer: ArrayBuffer, length: number, level: number }} GzipTask
 */

parentPort?.on("message", (/** @type {GzipTask} */ { buffer, length, level }) => {
  const member = gzip(new Uint8Array(buffer, 0, length), level);
  // RFC 1952: no time, and no word on the effort or the system, whatever the library says of them.
  member.set([0, 0, 0, 0, 0, 255], 4);
  parentPort?.postMessage({ member, buffer }, [/** @type {ArrayBuffer} */ (member.buffer), buffer]);
});
