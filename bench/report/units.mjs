// SPDX-License-Identifier: Apache-2.0
// @ts-check

/** @param {number} value Seconds. */
export function formatSeconds(value) {
  return `${value.toFixed(value < 1 ? 2 : 1)} s`;
}

/** @param {number} value Bytes. */
export function formatMegabytes(value) {
  return `${(value / 1e6).toFixed(value < 1e7 ? 1 : 0)} MB`;
}

/** @param {number} value Bytes. */
export function formatGigabytes(value) {
  return `${(value / 1e9).toFixed(2)} GB`;
}

/** @param {number} value MiB. */
export function formatSize(value) {
  return value >= 1024 ? `${value / 1024} GiB` : `${value} MiB`;
}

/** @param {number} value Seconds. */
export function formatMilliseconds(value) {
  return `${(value * 1000).toFixed(1)} ms`;
}
