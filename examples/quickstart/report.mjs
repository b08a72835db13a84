// SPDX-License-Identifier: Apache-2.0
// @ts-check

/**
 * What `toolbox build --json` says of one image.
 *
 * @typedef {object} Layer
 * @property {string} name
 * @property {string} diffID
 * @property {string} digest
 * @property {number} size compressed, in bytes
 *
 * @typedef {object} Image
 * @property {string} name
 * @property {{ digest: string }} index
 * @property {{ platform: string, manifest: { digest: string }, layers: Layer[] }[]} platforms
 */

/**
 * Each layer of `after`, and whether `before` lacks it.
 *
 * @param {Image} before
 * @param {Image} after
 */
export function compareLayers(before, after) {
  return after.platforms.flatMap(({ platform, layers }) => {
    const old = before.platforms.find((one) => one.platform === platform)?.layers ?? [];
    const known = new Set(old.map(({ digest }) => digest));
    return layers.map(({ name, size, digest }) => ({ platform, name, size, moved: !known.has(digest) }));
  });
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {number} milliseconds */
export function formatSeconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/**
 * Digests cut to what a person compares.
 *
 * @param {string} text
 */
export function shorten(text) {
  return text.replaceAll(/(sha256:[0-9a-f]{12})[0-9a-f]{52}/g, "$1...");
}

/** @param {readonly (readonly string[])[]} rows */
export function formatTable(rows) {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}
