// SPDX-License-Identifier: Apache-2.0

const NODE = "/usr/bin/node";

/**
 * A program with its first line naming the image's own Node.js, so that no other one on somebody's PATH starts it. What
 * is not for Node.js is left as it is, but for a line end of Windows, which no Linux can read there.
 */
export function rewriteShebang(script: Uint8Array): Uint8Array {
  if (script[0] !== 0x23 || script[1] !== 0x21) return script;
  const end = script.indexOf(0x0a);
  const before = Buffer.from(script.subarray(0, end < 0 ? script.byteLength : end)).toString("latin1");
  const after = formatShebang(before.replace(/\r$/, ""));
  if (after === before) return script;
  return Buffer.concat([Buffer.from(after, "latin1"), end < 0 ? new Uint8Array() : script.subarray(end)]);
}

function formatShebang(line: string): string {
  const [, words] = /^#!\s*(?:\S*\/)?(?:env\s+(?:-S\s*)?)?node(?:js)?(?:\s+(.*?))?\s*$/.exec(line) ?? [];
  if (words === undefined)
    return /^#!\s*(?:\S*\/)?(?:env\s+(?:-S\s*)?)?node(?:js)?\s*$/.test(line) ? `#!${NODE}` : line;
  // Linux hands on all that follows the program as one argument.
  return /\s/.test(words) ? `#!/usr/bin/env -S ${NODE} ${words}` : `#!${NODE} ${words}`;
}
