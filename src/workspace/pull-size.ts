// SPDX-License-Identifier: Apache-2.0

/** `300MB`, `1.2 GB`, `280MiB`: decimal as registries count, or by 1024 with an `i`. */
export const PULL_SIZE: RegExp = /^(\d{1,9}(?:\.\d{1,3})?) ?(kB|MB|GB|KiB|MiB|GiB)$/;

const UNITS: Readonly<Record<string, number>> = {
  kB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Bytes of a size as people write it. Absent: it is none, or nothing. */
export function parsePullSize(text: string): number | undefined {
  const [, number, unit = ""] = PULL_SIZE.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit] ?? 0));
  return bytes > 0 ? bytes : undefined;
}
