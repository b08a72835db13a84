// SPDX-License-Identifier: Apache-2.0

/** Stands in a plan for the folder inside that the caller is in: no real word can hold a NUL. */
export const FOLDER_MARK = "\0folder\0";

/** Stands in a plan for the name of the file in which a warm command notes its number. */
export const NOTE_MARK = "\0note\0";

/** Stands in a plan for what tells the container of this command from all others. */
export const CONTAINER_MARK = "\0container\0";

/** A word as the shell reads it back, byte for byte. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
