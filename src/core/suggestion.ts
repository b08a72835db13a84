// SPDX-License-Identifier: Apache-2.0

/** The candidate closest to `word`, for "did you mean". Absent when none is near enough to be meant. */
export function suggestName(word: string, candidates: Iterable<string>): string | undefined {
  // Two, so that swapped letters are forgiven; but two changes make another word of a short one.
  const allowed = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  let nearest: string | undefined;
  let least = allowed + 1;
  for (const name of candidates) {
    const changes = countChanges(word.toLowerCase(), name.toLowerCase());
    if (changes < least) [nearest, least] = [name, changes];
  }
  return nearest;
}

/** Levenshtein's distance: letters to insert, delete or replace. Few words, all short: no library to load for it. */
function countChanges(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [line, letter] of Array.from(from).entries()) {
    const next = [line + 1];
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
