// SPDX-License-Identifier: Apache-2.0
import type { Readable, Writable } from "node:stream";

/**
 * Passes everything on as it comes, but for a last line that matches: that one is kept back, and shown only when more
 * follows.
 *
 * @param last Must match at the end of what it is given, from the beginning of the line.
 * @returns What was kept back, for {@link writeErrors}. Empty: nothing.
 */
export async function relayErrors(
  source: Readable & AsyncIterable<Buffer>,
  target: Writable,
  last: RegExp,
): Promise<string> {
  // Each write tells its failure besides; an event that nobody hears would end us.
  target.on("error", () => {});
  let kept = "";
  for await (const chunk of source) {
    // One character a byte, so that no tool's bytes are changed.
    const text = kept + chunk.toString("latin1");
    const found = last.exec(text);
    kept = found === null ? "" : text.slice(found.index);
    await writeErrors(target, text.slice(0, text.length - kept.length));
  }
  return kept;
}

/** Writes text of one character a byte. */
export async function writeErrors(target: Writable, text: string): Promise<void> {
  if (text === "") return;
  // A reader of stderr that went away is no reason to stop the command.
  await new Promise<void>((resolve) => target.write(Buffer.from(text, "latin1"), () => resolve()));
}
