// SPDX-License-Identifier: Apache-2.0

/** One word for a POSIX shell that gives exactly `text`. Bare when it needs no quotes. */
export function quoteShellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * `text` on one line without control characters, so that a summary from somebody's definition can neither move
 * the cursor nor start a new line of a script.
 */
export function cleanLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, " ").trim();
}
