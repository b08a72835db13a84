// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * What is known of the catalog's tools by trying them: catalog/checked.json, and the page that shows it.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";

/** @typedef {{ name: string, summary: string, homepage?: string, sources: { source: string }[] }} Definition one file of the catalog */
/** @typedef {{ size: number, passed: string }} Pass bytes of the tool's compressed layer, and the UTC day of the last pass */
/**
 * @typedef {{ definition: string, version: string, source: string, platforms: Record<string, Pass> }} Checked
 *   what the last lock came to; a platform that is absent was never seen to pass with it
 */
/** @typedef {Record<string, Checked>} Records by name of the tool */

export const PLATFORMS = ["linux/amd64", "linux/arm64"];

const HEAD = `# The catalog

What \`toolbox add NAME\` knows. Sources are tried in this order, and the one in bold is what was tried last: by
\`npm run catalog:check\`, which locks each tool, builds it, asks it for its version and runs the tests of its definition.
The size is that of the tool's own compressed layer, over a Debian base that has git, ssh and Python already.

<!-- This page is written by \`npm run catalog:table\`. -->
`;

/**
 * Reads all definitions of a catalog folder, by name.
 *
 * @param {string} folder
 * @returns {Promise<Definition[]>}
 */
export async function readDefinitions(folder) {
  const names = (await readdir(folder)).filter(
    (name) => name.endsWith(".yaml") && name !== "toolchains.yaml",
  );
  return await Promise.all(
    names.toSorted().map(async (name) => parse(await readFile(join(folder, name), "utf8"))),
  );
}

/**
 * Reads the records; none where the file is absent.
 *
 * @param {string} file
 * @returns {Promise<Records>}
 */
export async function readRecords(file) {
  return existsSync(file) ? JSON.parse(await readFile(file, "utf8")) : {};
}

/**
 * The file's text: tools by name, so that two runs change different lines.
 *
 * @param {Records} records
 * @returns {string}
 */
export function formatRecords(records) {
  const sorted = Object.entries(records).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`;
}

/** Keys of a definition that change nothing of what is tried. */
const WORDS = new Set(["summary", "homepage", "license", "examples", "completions"]);

/**
 * Names a definition by what is tried of it: better words, a comment or another order of its keys change nothing.
 *
 * @param {Definition} definition
 * @returns {string}
 */
export function digestOf(definition) {
  const tried = Object.fromEntries(Object.entries(definition).filter(([key]) => !WORDS.has(key)));
  const sorted = JSON.stringify(tried, (_, value) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return `sha256:${createHash("sha256").update(sorted).digest("hex")}`;
}

/**
 * Whether the platforms passed with this very definition, version and source.
 *
 * @param {Checked | undefined} known
 * @param {Omit<Checked, "platforms">} now
 * @param {readonly string[]} [wanted] absent: all
 * @returns {boolean}
 */
export function isChecked(known, now, wanted = PLATFORMS) {
  return known !== undefined && isSame(known, now) && wanted.every((platform) => known.platforms[platform]);
}

/**
 * What is known after a run. Passes of another version or source say nothing of this one; those of another definition
 * do, until it is tried.
 *
 * @param {Checked | undefined} known
 * @param {Omit<Checked, "platforms">} now
 * @param {Record<string, Pass>} passes platforms that passed in this run
 * @returns {Checked}
 */
export function mergeRecord(known, now, passes) {
  const kept = known !== undefined && isSame(known, now) ? known.platforms : {};
  return { ...now, platforms: { ...kept, ...passes } };
}

/**
 * @param {Checked} known
 * @param {Omit<Checked, "platforms">} now
 */
function isSame(known, now) {
  return known.definition === now.definition && known.version === now.version && known.source === now.source;
}

/**
 * The page for people.
 *
 * @param {Definition[]} definitions
 * @param {Records} records
 * @returns {string}
 */
export function renderPage(definitions, records) {
  const head = ["tool", "version", "sources", ...PLATFORMS];
  const rows = definitions.map((definition) => renderRow(definition, records[definition.name]));
  const table = [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
  return `${HEAD}\n${definitions.length} tools:\n\n${table}\n`;
}

/**
 * @param {Definition} definition
 * @param {Checked | undefined} known
 */
function renderRow(definition, known) {
  const { name, homepage, summary } = definition;
  const kinds = [...new Set(definition.sources.map(({ source }) => source))];
  const title = homepage === undefined ? `\`${name}\`` : `[\`${name}\`](${homepage})`;
  const current = known?.definition === digestOf(definition);
  return [
    `${title}: ${summary}`,
    known?.version ?? "",
    kinds.map((kind) => (kind === known?.source ? `**${kind}**` : kind)).join(", "),
    ...PLATFORMS.map((platform) => renderPass(known?.platforms[platform], current)),
  ];
}

/**
 * @param {Pass | undefined} pass
 * @param {boolean} current
 */
function renderPass(pass, current) {
  if (pass === undefined) return "not checked";
  return `${renderSize(pass.size)}, passed ${pass.passed}${current ? "" : " with an older definition"}`;
}

/** @param {number} bytes */
function renderSize(bytes) {
  if (bytes < 999_500) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return `${bytes < 99.95e6 ? (bytes / 1e6).toFixed(1) : Math.round(bytes / 1e6)} MB`;
}

const COUNT = /\[\d+ tools\]\(docs\/catalog\.md\)/;

/**
 * README.md with the number of tools that there are.
 *
 * @param {string} readme
 * @param {number} tools
 * @returns {string}
 */
export function replaceCount(readme, tools) {
  if (!COUNT.test(readme)) throw new Error("README.md has no place for the number of tools");
  return readme.replace(COUNT, `[${tools} tools](docs/catalog.md)`);
}
