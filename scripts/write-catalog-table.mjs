// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Writes docs/catalog.md from the definitions of the catalog and what is known of them by `npm run catalog:check`, and
 * the number of tools into README.md.
 *
 * usage: node scripts/write-catalog-table.mjs [--check]
 *   --check  write nothing; exit code 1 when a page is not what would be written
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readDefinitions, readRecords, renderPage, replaceCount } from "./catalog-records.mjs";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const definitions = await readDefinitions(join(ROOT, "catalog"));
const records = await readRecords(join(ROOT, "catalog", "checked.json"));
const readme = await readText("README.md");
await bring("docs/catalog.md", renderPage(definitions, records));
await bring("README.md", replaceCount(readme, definitions.length));

/**
 * @param {string} path
 * @param {string} text
 */
async function bring(path, text) {
  if (text === (await readText(path))) return;
  if (!process.argv.includes("--check")) await writeFile(join(ROOT, path), text);
  else {
    process.stderr.write(`${path} is not what the catalog says; run \`npm run catalog:table\`\n`);
    process.exitCode = 1;
  }
}

/** @param {string} path */
async function readText(path) {
  const file = join(ROOT, path);
  return existsSync(file) ? await readFile(file, "utf8") : "";
}
