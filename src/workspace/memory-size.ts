// SPDX-License-Identifier: Apache-2.0
// Apart from the schema that uses it: a run reads sizes too, and must not load the library of schemas for that.

/** `512m`, `2g`, `1.5GiB`: thousands are 1024 each, as engines count. */
export const MEMORY_SIZE: RegExp = /^(\d{1,12}(?:\.\d{1,3})?)([kKmMgG]?)(?:i?[bB])?$/;

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes of a size as people write it. Absent: it is none, or nothing. */
export function parseMemorySize(text: string): number | undefined {
  const [, number, unit = ""] = MEMORY_SIZE.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit.toLowerCase()] ?? 1));
  return bytes > 0 ? bytes : undefined;
}
