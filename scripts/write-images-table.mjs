// SPDX-License-Identifier: Apache-2.0
/**
 * Writes the table of this project's own images into README.md: tools and versions from images/toolbox.lock, sizes from
 * images/sizes.json, which it measures by building the images (`npm run images:table`).
 *
 * usage: node scripts/write-images-table.mjs [--no-build | --check]
 *   --no-build  take the sizes that images/sizes.json has; those of another lock are left out
 *   --check     write nothing; exit code 1 when README.md is not what would be written
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** @typedef {{ extends?: string, title?: string, tools: string[] }} Flavour */
/** @typedef {{ platforms: string[], base: unknown, compression: string, tools: Record<string, { version: string }>, images: Record<string, Flavour> }} Lock */
/** @typedef {{ size: number, uncompressedSize: number, overParent?: number }} Weight */
/** @typedef {Record<string, { lock: string, platforms: Record<string, Weight> }>} Sizes */

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const README = join(ROOT, "README.md");
const SIZES = join(ROOT, "images", "sizes.json");
const START = "<!-- images: written by `npm run images:table` -->";
const END = "<!-- /images -->";

const words = process.argv.slice(2);
/** @type {Lock} */
const lock = JSON.parse(await readFile(join(ROOT, "images", "toolbox.lock"), "utf8"));
if (!words.includes("--check") && !words.includes("--no-build")) {
  await writeFile(SIZES, `${JSON.stringify(measure(), null, 2)}\n`);
}
/** @type {Sizes} */
const sizes = existsSync(SIZES) ? JSON.parse(await readFile(SIZES, "utf8")) : {};
const readme = await readFile(README, "utf8");
const current = replaceTable(readme, renderTable(sizes));
if (!words.includes("--check")) await writeFile(README, current);
else if (readme !== current) {
  process.stderr.write(
    "README.md does not show the images of images/toolbox.lock; run `npm run images:table` (or with `-- --no-build`)\n",
  );
  process.exitCode = 1;
}

/**
 * Builds all images from the lock, and takes what each platform weighs.
 *
 * @returns {Sizes}
 */
function measure() {
  const cli = join(ROOT, "dist", "cli", "main.js");
  const args = [cli, "-C", join(ROOT, "images"), "build", "--frozen", "--json"];
  const { status, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`the images do not build (${status})`);
  /** @type {{ images: { name: string, platforms: ({ platform: string, overParent?: { size: number } } & Omit<Weight, "overParent">)[] }[] }} */
  const { images } = JSON.parse(stdout);
  return Object.fromEntries(
    images.map(({ name, platforms }) => [
      name,
      {
        lock: digestOf(name),
        platforms: Object.fromEntries(
          platforms.map(({ platform, size, uncompressedSize, overParent }) => [
            platform,
            { size, uncompressedSize, ...(overParent && { overParent: overParent.size }) },
          ]),
        ),
      },
    ]),
  );
}

/**
 * Names the part of the lock that decides what an image weighs.
 *
 * @param {string} image
 */
function digestOf(image) {
  const { base, compression } = lock;
  const tools = (lock.images[image]?.tools ?? []).map((name) => lock.tools[name]);
  const text = JSON.stringify({ base, compression, image: lock.images[image], tools });
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** @param {Sizes} all */
function renderTable(all) {
  const { platforms } = lock;
  const head = ["image", ...platforms.map((platform) => `pull, ${platform}`), "tools"];
  const rows = Object.entries(lock.images).map(([name, flavour]) => {
    const known = all[name]?.lock === digestOf(name) ? all[name]?.platforms : undefined;
    return [
      `\`${name}\`${flavour.title === undefined ? "" : `: ${flavour.title}`}`,
      ...platforms.map((platform) => renderWeight(known?.[platform], flavour.extends)),
      renderTools(flavour),
    ];
  });
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/**
 * @param {Weight | undefined} weight
 * @param {string | undefined} parent
 */
function renderWeight(weight, parent) {
  if (weight === undefined) return "not measured yet";
  const { size, uncompressedSize, overParent } = weight;
  const more = overParent === undefined ? "" : `; ${megabytes(overParent)} on top of \`${parent}\``;
  return `${megabytes(size)} (${megabytes(uncompressedSize)} unpacked${more})`;
}

/** @param {Flavour} flavour */
function renderTools(flavour) {
  const inherited = flavour.extends === undefined ? [] : (lock.images[flavour.extends]?.tools ?? []);
  const own = flavour.tools
    .filter((name) => !inherited.includes(name))
    .map((name) => `${name} ${lock.tools[name]?.version}`);
  return [...(flavour.extends === undefined ? [] : [`all of \`${flavour.extends}\``]), ...own].join(", ");
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${bytes < 99.5e6 ? (bytes / 1e6).toFixed(1) : Math.round(bytes / 1e6)} MB`;
}

/**
 * @param {string} text
 * @param {string} table
 */
function replaceTable(text, table) {
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error("README.md has no place for the images");
  return `${text.slice(0, start + START.length)}\n\n${table}\n\n${text.slice(end)}`;
}
