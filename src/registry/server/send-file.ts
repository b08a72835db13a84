// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type { ByteRange } from "./range.ts";

/**
 * Sends a part of a file and ends the answer. Two buffers take turns: one is filled while the other is on its way,
 * so memory stays at twice `bufferSize` however slow the client is, and leaves nothing to collect.
 *
 * @throws when the file is shorter than `range`, or the client goes away
 */
export async function sendFile(
  file: FileHandle,
  response: ServerResponse,
  { range, bufferSize }: { readonly range: ByteRange; readonly bufferSize: number },
): Promise<void> {
  const size = Math.min(bufferSize, range.end - range.start + 1);
  let [filling, sending] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
  const lost = rejectWhenClosed(response);
  let sent: Promise<void> = Promise.resolve();
  for (let at = range.start; at <= range.end;) {
    const { bytesRead } = await file.read(filling, 0, Math.min(size, range.end - at + 1), at);
    if (bytesRead === 0) throw new Error("the file has become shorter");
    await Promise.race([sent, lost]);
    sent = write(response, filling.subarray(0, bytesRead));
    [filling, sending] = [sending, filling];
    at += bytesRead;
  }
  await Promise.race([sent, lost]);
  response.end();
}

function write(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  const written = new Promise<void>((resolve, reject) => {
    response.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
  // Whoever waits next sees the failure; until then it must not count as unhandled.
  written.catch(() => undefined);
  return written;
}

function rejectWhenClosed(response: ServerResponse): Promise<never> {
  const closed = new Promise<never>((_, reject) => {
    response.once("close", () => reject(new Error("the client went away")));
  });
  closed.catch(() => undefined);
  return closed;
}
