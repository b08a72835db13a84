// SPDX-License-Identifier: Apache-2.0
// @ts-check
// Decodes several xz files side by side, each a step at a time, so that nobody's back-pressure stops another.
import { parentPort } from "node:worker_threads";
import xz from "xz-decompress";

/**
 * Continues a file: takes input, gives output. `isLast` says that no more input will come.
 * @typedef {{ id: number, input?: Uint8Array, isLast?: boolean, close?: boolean }} XzStep
 * @typedef {{ output: Uint8Array, state: "hungry" | "more" | "done" } | { problem: string }} XzAnswer
 */

const OUTPUT_SIZE = 256 * 1024;
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
  /** @type {Uint8Array} */
  #input = new Uint8Array(0);
  #hasOutput = false;

  /**
   * @param {XzStep} step
   * @returns {XzAnswer}
   */
  step({ input, isLast = false }) {
    if (input !== undefined) this.#input = input;
    const output = new Uint8Array(OUTPUT_SIZE);
    let length = 0;
    for (;;) {
      const { code, written, isStuck } = this.#run(isLast, output.subarray(length));
      length += written;
      const given = output.subarray(0, length);
      if (code === STREAM_END) return { output: given, state: "done" };
      const problem = this.#problemOf(code, isStuck && isLast);
      if (problem !== undefined) return { problem };
      if (isStuck) return { output: given, state: "hungry" };
      if (length + LARGEST_PIECE > OUTPUT_SIZE) return { output: given, state: "more" };
    }
  }

  close() {
    this.#exports.destroy_context(this.#context);
  }

  // The context begins with: buffer size, then address, position and size of the input buffer, the same of the output.
  get #fields() {
    return new Uint32Array(this.#exports.memory.buffer, this.#context, 7);
  }

  /**
   * @param {boolean} isLast
   * @param {Uint8Array} output
   */
  #run(isLast, output) {
    const start = this.#supply(isLast);
    const code = this.#exports.get_next_output(this.#context);
    const after = this.#fields;
    const [, , position = 0, , outputAt = 0, written = 0] = after;
    output.set(new Uint8Array(this.#exports.memory.buffer, outputAt, written));
    after[5] = 0;
    this.#hasOutput ||= written > 0;
    return { code, written, isStuck: written === 0 && position === start };
  }

  /**
   * Fills the decoder's input buffer when it is used up, and gives the position in it. Supplying nothing says that
   * nothing follows.
   * @param {boolean} isLast
   */
  #supply(isLast) {
    const [size = 0, inputAt = 0, position = 0, filled = 0] = this.#fields;
    if (position < filled || (this.#input.byteLength === 0 && !isLast)) return position;
    const piece = this.#input.subarray(0, size);
    new Uint8Array(this.#exports.memory.buffer, inputAt, size).set(piece);
    this.#exports.supply_input(this.#context, piece.byteLength);
    this.#input = this.#input.subarray(piece.byteLength);
    return 0;
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

parentPort?.on("message", (/** @type {XzStep} */ step) => {
  const decoder = decoders.get(step.id) ?? new Decoder();
  decoders.set(step.id, decoder);
  const answer = step.close === true ? { problem: "is closed" } : decoder.step(step);
  if ("problem" in answer || answer.state === "done") {
    decoder.close();
    decoders.delete(step.id);
  }
  parentPort?.postMessage(
    answer,
    "output" in answer ? [/** @type {ArrayBuffer} */ (answer.output.buffer)] : [],
  );
});
