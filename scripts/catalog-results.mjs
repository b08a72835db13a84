// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * What `npm run catalog:check` asks of the command line, and what it makes of the answers.
 */
import { PLATFORMS } from "./catalog-records.mjs";

/** @typedef {{ state: "passed" | "failed" | "not run", size: number, reasons: string[] }} PlatformState size: bytes of the tool's compressed layers */
/**
 * @typedef {{ name: string, state: "passed" | "failed" | "not run" | "unchanged" | "locked", version?: string, source?: string, step?: string, error?: string, platforms?: Record<string, PlatformState> }} ToolResult
 *   step: what failed (`lock`, `build` or `test`); error: why, where no check says so
 */
/** @typedef {{ platform: string, name: string, state: "passed" | "failed" | "not-run", reasons?: string[], output?: string[], reason?: string }} CheckAnswer */

/** Last lines of a failed command's output that are shown. */
const MOST_LINES = 5;

/**
 * A workspace with the base that all tools stand on, and one tool.
 *
 * @param {string} [tool] absent: the base alone
 * @returns {string}
 */
export function workspaceText(tool) {
  return `platforms: [${PLATFORMS.join(", ")}]
base:
  debian: trixie
  packages: [bash, ca-certificates, git, libnss-unknown, openssh-client, python3]
tools: {${tool === undefined ? "" : ` "${tool}": "*" `}}
images:
  ${tool === undefined ? "base: { tools: [] }" : `"${tool}": { tools: ["${tool}"] }`}
`;
}

/**
 * Bytes of the tool's own compressed layers on each platform, from the answer of `toolbox build --json`.
 *
 * @param {{ images: { platforms: { platform: string, layers: { kind: string, size: number }[] }[] }[] }} answer
 * @returns {Record<string, number>}
 */
export function layerSizes({ images }) {
  return Object.fromEntries(
    images.flatMap(({ platforms }) =>
      platforms.map(({ platform, layers }) => [
        platform,
        layers.filter(({ kind }) => kind === "tool").reduce((sum, { size }) => sum + size, 0),
      ]),
    ),
  );
}

/**
 * What each platform came to, from the answer of `toolbox test --json`. A platform where anything could not run has not
 * passed.
 *
 * @param {{ results: CheckAnswer[] }} answer
 * @param {Record<string, number>} sizes
 * @param {readonly string[]} [wanted] platforms that were asked for; absent: all
 * @returns {{ state: "passed" | "failed" | "not run", step?: string, platforms: Record<string, PlatformState> }}
 */
export function judgeChecks({ results }, sizes, wanted = PLATFORMS) {
  /** @type {Record<string, PlatformState>} */
  const platforms = {};
  for (const platform of wanted) {
    const own = results.filter((result) => result.platform === platform);
    const failed = own.filter(({ state }) => state === "failed");
    const missed = own.filter(({ state }) => state === "not-run");
    const reasons = failed.flatMap(({ name, reasons = [], output = [] }) => [
      `${name}: ${reasons.join("; ")}`,
      ...output.slice(-MOST_LINES).map((line) => `  | ${line}`),
    ]);
    const size = sizes[platform] ?? 0;
    if (failed.length > 0) platforms[platform] = { state: "failed", size, reasons };
    else if (missed.length > 0 || own.length === 0) {
      const why = [...new Set(missed.map(({ reason = "" }) => reason))];
      platforms[platform] = { state: "not run", size, reasons: why };
    } else platforms[platform] = { state: "passed", size, reasons: [] };
  }
  const states = Object.values(platforms).map(({ state }) => state);
  if (states.includes("failed")) return { state: "failed", step: "test", platforms };
  return { state: states.includes("passed") ? "passed" : "not run", platforms };
}

/**
 * Lines for people, the reasons below their tool.
 *
 * @param {ToolResult[]} results
 * @returns {string}
 */
export function renderResults(results) {
  const rows = results.map(({ name, state, version, source, platforms = {} }) => [
    name,
    state,
    version ?? "-",
    source ?? "-",
    ...PLATFORMS.map((platform) => renderPlatform(platform, platforms[platform])),
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const lines = results.flatMap((result, index) => [
    (rows[index] ?? [])
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
    ...listReasons(result).map((reason) => `    ${reason}`),
  ]);
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * @param {string} platform
 * @param {PlatformState | undefined} known
 */
function renderPlatform(platform, known) {
  return known === undefined ? "" : `${platform} ${known.state} (${(known.size / 1e6).toFixed(1)} MB)`;
}

/**
 * @param {ToolResult} result
 * @returns {string[]}
 */
function listReasons({ step, error, platforms = {} }) {
  const own = error === undefined ? [] : [`${step}: ${error}`];
  const more = Object.entries(platforms).flatMap(([platform, { reasons }]) =>
    reasons.map((reason) => `${platform}: ${reason}`),
  );
  return [...own, ...more];
}
