// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Plots as SVG that stands alone: no script, no font to load, readable on white and on black. */

const WIDTH = 720;
/** Room for labels: what the longest needs, and never less than this. */
const LEAST_LEFT = 150;
const LETTER = 6.8;
const RIGHT = 90;
const BAR = 18;
const GAP = 8;

/** Told apart without colours too: ours is the full one. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 14px; font-weight: 600; }
  .faint { fill: #57606a; }
  .axis { stroke: #8c959f; stroke-width: 1; }
  .grid { stroke: #8c959f; stroke-opacity: .25; }
  .ours { fill: #0969da; stroke: #0969da; }
  .other { fill: #8c959f; stroke: #8c959f; }
  .second { fill: #bf8700; stroke: #bf8700; }
  .line { fill: none; stroke-width: 2; }
  .range { stroke: #24292f; stroke-width: 1.5; }
  .bound { stroke: #cf222e; stroke-dasharray: 4 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .faint { fill: #9198a1; } .range { stroke: #e6edf3; }
    .ours { fill: #4493f8; stroke: #4493f8; } .other { fill: #6e7681; stroke: #6e7681; }
    .second { fill: #d29922; stroke: #d29922; }
  }
`;

/** @typedef {{ label: string, value: number, min?: number, max?: number, isOurs?: boolean, note?: string }} Bar */

/**
 * Bars from left to right, the least and the most of all rounds as a line over each.
 *
 * @param {string} title @param {readonly Bar[]} bars @param {(value: number) => string} format
 */
export function drawBars(title, bars, format) {
  const height = 40 + bars.length * (BAR + GAP);
  const left = Math.max(LEAST_LEFT, ...bars.map(({ label }) => label.length * LETTER + 16));
  const most = Math.max(...bars.map(({ value, max = value }) => Math.max(value, max)), Number.MIN_VALUE);
  const x = (/** @type {number} */ value) => left + (value / most) * (WIDTH - left - RIGHT);
  const rows = bars.map(({ label, value, min = value, max = value, isOurs = false, note }, row) => {
    const y = 34 + row * (BAR + GAP);
    const middle = y + BAR / 2;
    const range = max > min ? `<path class="range" d="M${n(x(min))} ${middle}H${n(x(max))}"/>` : "";
    return [
      `<text x="${n(left - 8)}" y="${middle + 4}" text-anchor="end">${escapeText(label)}</text>`,
      `<rect class="${isOurs ? "ours" : "other"}" x="${n(left)}" y="${y}" width="${n(x(value) - left)}" height="${BAR}" rx="2"/>`,
      range,
      `<text x="${n(Math.max(x(value), x(max)) + 6)}" y="${middle + 4}">${escapeText(note ?? format(value))}</text>`,
    ].join("");
  });
  return frame(title, height, rows.join("\n"));
}

/** @typedef {{ name: string, kind: "ours" | "other" | "second", points: readonly (readonly [x: number, y: number])[] }} Line */

/**
 * Lines over one axis.
 *
 * @param {string} title @param {readonly Line[]} lines
 * @param {{ x: string, y: string, logarithmic?: boolean, bound?: number, formatX?: (value: number) => string }} axes
 */
export function drawLines(title, lines, { x: labelX, y: labelY, logarithmic = false, bound, formatX }) {
  const [top, bottom, left, right] = [40, 250, 60, WIDTH - 120];
  const all = lines.flatMap(({ points }) => points);
  const xs = all.map(([at]) => at);
  const [least, most] = [logarithmic ? Math.min(...xs) : 0, Math.max(...xs)];
  const scale = logarithmic ? Math.log2 : (/** @type {number} */ value) => value;
  const highest = niceTop(Math.max(...all.map(([, value]) => value), bound ?? 0));
  const x = (/** @type {number} */ at) =>
    left + ((scale(at) - scale(least)) / (scale(most) - scale(least))) * (right - left);
  const y = (/** @type {number} */ value) => bottom - (value / highest) * (bottom - top);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const value = highest * part;
    return `<path class="grid" d="M${left} ${n(y(value))}H${right}"/><text class="faint" x="${left - 6}" y="${n(y(value) + 4)}" text-anchor="end">${short(value)}</text>`;
  });
  const ticks = [...new Set(xs)]
    .toSorted((a, b) => a - b)
    .filter((at, index, sorted) => index === 0 || x(at) - x(sorted[index - 1] ?? at) > 24)
    .map(
      (at) =>
        `<text class="faint" x="${n(x(at))}" y="${bottom + 16}" text-anchor="middle">${escapeText(formatX?.(at) ?? short(at))}</text>`,
    );
  const drawn = lines.map(({ name, kind, points }) => {
    const path = points
      .map(([at, value], index) => `${index === 0 ? "M" : "L"}${n(x(at))} ${n(y(value))}`)
      .join("");
    const dots = points.map(
      ([at, value]) => `<circle class="${kind}" cx="${n(x(at))}" cy="${n(y(value))}" r="3"/>`,
    );
    const [endX, endY] = points.at(-1) ?? [0, 0];
    return `<path class="line ${kind}" style="fill:none" d="${path}"/>${dots.join("")}<text x="${n(x(endX) + 8)}" y="${n(y(endY) + 4)}">${escapeText(name)}</text>`;
  });
  const limit =
    bound === undefined
      ? ""
      : `<path class="bound" d="M${left} ${n(y(bound))}H${right}"/><text class="faint" x="${left + 4}" y="${n(y(bound) - 4)}">goal ${short(bound)}</text>`;
  const names = `<text class="faint" x="${(left + right) / 2}" y="${bottom + 34}" text-anchor="middle">${escapeText(labelX)}</text><text class="faint" x="${left - 40}" y="${top - 8}">${escapeText(labelY)}</text>`;
  const axis = `<path class="axis" d="M${left} ${bottom}H${right}"/>`;
  return frame(title, bottom + 44, [...grid, axis, limit, ...drawn, ...ticks, names].join("\n"));
}

/** @param {string} title @param {number} height @param {string} content */
function frame(title, height, content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeText(title)}">
<style>${STYLE}</style>
<text class="title" x="8" y="20">${escapeText(title)}</text>
${content}
</svg>`;
}

/** @param {string} text */
export function escapeText(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** The next number whose quarters are easy to read. @param {number} value */
function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

/** @param {number} value */
function short(value) {
  return value === 0 ? "0" : String(Number(value.toPrecision(3)));
}

/** @param {number} value */
function n(value) {
  return value.toFixed(1);
}
