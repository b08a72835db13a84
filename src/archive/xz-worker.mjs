// SPDX-License-Identifier: Apache-2.0
// @ts-check
// Decodes several xz files side by side, each a step at a time, so that nobody's back-pressure stops another.
import { parentPort } from "node:worker_threads";
import xz from "xz-decompress";

/**
 * Continues a file: takes the first `length` bytes of `input`, gives what fits into `output`. `isLast` says that no
 * more input will come. Both buffers go back with the answer.
 * @typedef {{ id: number, output: ArrayBuffer, input?: ArrayBuffer, length?: number, isLast?: boolean, close?: boolean }} XzStep
 * @typedef {{ state: "hungry" | "more" | "done", length: number } | { state: "broken", length: 0, problem: string }} XzProgress
 */

/** What the decoder gives at once, at most. */
const LARGEST_PIECE = 64 * 1024;
const OK = 0;
const STREAM_END = 1;
const UNSUPPORTED_CHECK = 2;
const NOT_XZ = 5;
const NO_PROGRESS = 8;
/** @type {Readonly<Record<number, string>>} */
const PROBLEMS = {
  3: "needs more memory than there is",
  4: "needs more memory than is allowed",
  6: "uses a filter or a check that is not supported",
};

// The package's own stream class reads one file per thread at a time. The decoder inside can do more.
/** @type {any} */
const XzReadableStream = xz.XzReadableStream;
await XzReadableStream._getModuleInstance();

/** One file: a run of xz streams with zero padding between and after them (xz file format 1.2, section 2). */
class Decoder {
  #exports = XzReadableStream._moduleInstance.exports;
  #context = this.#exports.create_context();
  #hasOutput = false;

  /**
   * @param {XzStep} step
   * @returns {XzProgress}
   */
  step({ input, length: given = 0, isLast = false, output }) {
    // A file that is continued has used up what it got before, unless it gave more than fitted.
    if (input !== undefined || isLast)
      this.#supply(input === undefined ? new Uint8Array(0) : new Uint8Array(input, 0, given));
    let length = 0;
    for (;;) {
      const { code, written, isStuck } = this.#run(new Uint8Array(output, length));
      length += written;
      if (code === STREAM_END) return { state: "done", length };
      const problem = this.#problemOf(code, isStuck && isLast);
      if (problem !== undefined) return { state: "broken", length: 0, problem };
      if (isStuck) return { state: "hungry", length };
      if (length + LARGEST_PIECE > output.byteLength) return { state: "more", length };
    }
  }

  close() {
    this.#exports.destroy_context(this.#context);
  }

  // The context begins with: buffer size, then address, position and size of the input buffer, the same of the output.
  get #fields() {
    return new Uint32Array(this.#exports.memory.buffer, this.#context, 7);
  }

  /** @param {Uint8Array} output */
  #run(output) {
    const [, , start] = this.#fields;
    const code = this.#exports.get_next_output(this.#context);
    const after = this.#fields;
    const [, , position, , outputAt = 0, written = 0] = after;
    output.set(new Uint8Array(this.#exports.memory.buffer, outputAt, written));
    after[5] = 0;
    this.#hasOutput ||= written > 0;
    return { code, written, isStuck: written === 0 && position === start };
  }

  /**
   * Fills the decoder's input buffer. Supplying nothing says that nothing follows.
   * @param {Uint8Array} piece
   */
  #supply(piece) {
    const [size = 0, inputAt = 0] = this.#fields;
    if (piece.byteLength > size) throw new RangeError(`the decoder takes ${size} bytes at once`);
    new Uint8Array(this.#exports.memory.buffer, inputAt, size).set(piece);
    this.#exports.supply_input(this.#context, piece.byteLength);
  }

  /**
   * @param {number} code
   * @param {boolean} isOver
   */
  #problemOf(code, isOver) {
    if (isOver) return "is cut short";
    if (code === OK || code === UNSUPPORTED_CHECK || code === NO_PROGRESS) return undefined;
    if (code === NOT_XZ) return this.#hasOutput ? "goes on after its end" : "is not in the xz format";
    return PROBLEMS[code] ?? "is damaged";
  }
}

/** @type {Map<number, Decoder>} */
const decoders = new Map();

/**
 * @param {XzStep} step
 * @returns {XzProgress}
 */
function takeStep(step) {
  const decoder = decoders.get(step.id) ?? new Decoder();
  decoders.set(step.id, decoder);
  const progress =
    step.close === true
      ? /** @type {const} */ ({ state: "broken", length: 0, problem: "is closed" })
      : decoder.step(step);
  if (progress.state === "done" || progress.state === "broken") {
    decoder.close();
    decoders.delete(step.id);
  }
  return progress;
}

parentPort?.on("message", (/** @type {XzStep} */ step) => {
  const { output, input } = step;
  parentPort?.postMessage(
    { ...takeStep(step), output, input },
    input === undefined ? [output] : [output, input],
  );
});
