// SPDX-License-Identifier: Apache-2.0
import { describeWriteFailure } from "../core/atomic-file.ts";
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
 */
export function openOutput(stream: NodeJS.WriteStream, name: string): Output {
  let failure: Error | undefined;
  stream.on("error", (error) => {
    failure = error;
  });
  return {
    write(text) {
      if (failure === undefined) stream.write(text);
    },
    async flush() {
      if (failure === undefined) await new Promise<void>((resolve) => stream.write("", () => resolve()));
      // The event comes one turn after the callback.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (failure === undefined || isSystemError(failure, "EPIPE", "EBADF", "ERR_STREAM_DESTROYED")) return;
      const reason = describeWriteFailure(failure, name);
      failure = undefined;
      throw reason;
    },
  };
}
