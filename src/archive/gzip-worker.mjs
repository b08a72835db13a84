// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { parentPort } from "node:worker_threads";
import { gzip } from "libdeflate";

/**
 * One member to compress. Its buffer comes and goes by transfer, and the compressed member goes back in it.
 * @typedef {{ buffer: ArrayBuffer, length: number, level: number }} GzipTask
 */

/**
 * Where the next array that is sliced off another one goes: the library slices each member off its memory, and an
 * array for each would leave more to collect than this thread ever holds.
 * @type {ArrayBuffer | undefined}
 */
let target;

Object.defineProperty(Uint8Array, Symbol.species, {
  get: () =>
    /** @param {[number] | [ArrayBuffer, number, number]} place */
    function (...place) {
      const [length] = place;
      if (target === undefined || typeof length !== "number") return Reflect.construct(Uint8Array, place);
      return new Uint8Array(target, 0, length);
    },
});

parentPort?.on("message", (/** @type {GzipTask} */ { buffer, length, level }) => {
  target = buffer;
  const member = gzip(new Uint8Array(buffer, 0, length), level);
  target = undefined;
  // RFC 1952: no time, and no word on the effort or the system, whatever the library says of them.
  member.set([0, 0, 0, 0, 0, 255], 4);
  parentPort?.postMessage({ member, buffer }, [buffer]);
});
