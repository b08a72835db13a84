// SPDX-License-Identifier: Apache-2.0
import { isSystemError } from "../core/error.ts";

/** Where text goes. */
export interface Output {
  write(text: string): void;
  /**
   * Resolves when everything written so far has left the process, or nobody reads it any more.
   *
   * @throws {ToolingError} `DISK_FULL`, `FILE_UNWRITABLE` when a file at the other end could not take it
   */
  flush(): Promise<void>;
}

/**
 * Writes to a stream of the process. When its reader goes away (`toolbox tools | head -1`) the rest is dropped
 * quietly and the work goes on: what it does matters more than who listens.
 *
 * @param open Gives the stream. Called with the first text, because making a stream takes a millisecond.
 */
export function openOutput(open: () => NodeJS.WriteStream, name: string): Output {
  let stream: NodeJS.WriteStream | undefined;
  let failure: Error | undefined;
  const opened = (): NodeJS.WriteStream => {
    stream ??= open().on("error", (error) => {
      failure = error;
    });
    return stream;
  };
  return {
    write(text) {
      if (failure === undefined) opened().write(text);
    },
    async flush() {
      const used = stream;
      if (used === undefined) return;
      if (failure === undefined) await new Promise<void>((resolve) => used.write("", () => resolve()));
      // The event comes one turn after the callback.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (failure === undefined || isSystemError(failure, "EPIPE", "EBADF", "ERR_STREAM_DESTROYED")) return;
      const { describeWriteFailure } = await import("../core/atomic-file.ts");
      const reason = describeWriteFailure(failure, name);
      failure = undefined;
      throw reason;
    },
  };
}
