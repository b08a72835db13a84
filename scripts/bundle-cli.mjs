// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Joins the compiled command line into few files: a command that loads 120 small modules starts 60 ms later than one
 * that loads three. What a run and a copy need becomes one chunk each, what both need a third; the rest stays apart
 * and loads with the verb that needs it. What tsc made for the other entries of the package is left as it is. The
 * old command line serves until the new one is complete.
 */
import { chmod, copyFile, cp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const COMPILED = join(ROOT, "out", "compiled");
const CLI = join(COMPILED, "cli");
const DIST = join(ROOT, "dist");
const TEMPORARY = join(DIST, ".cli");

/** Packages of many small files in plain JavaScript: joined, they load in half the time. */
const JOINED = ["semver", "yaml", "zod"];

/** @type {import("rolldown").InputOptions} */
const OPTIONS = {
  platform: "node",
  // Its warnings are about modules that could be loaded later still; errors are thrown.
  logLevel: "silent",
  // The other packages stay packages: some have native parts, and each is loaded by the verb that needs it.
  external: (id) => !id.startsWith(".") && !id.startsWith("/") && !JOINED.includes(id),
  // A folder's front door must not load all that is behind it. No module of ours does anything by being loaded.
  treeshake: { moduleSideEffects: (id) => id === join(CLI, "main.js") },
};

const atStart = await listNeeded(join(CLI, "main.js"));
const onRunPath = await listNeeded(join(CLI, "commands", "run.js"));
const onCopyPath = await listNeeded(join(CLI, "commands", "image-copy.js"));
const bundle = await rolldown({ ...OPTIONS, input: join(CLI, "main.js") });
await rm(TEMPORARY, { recursive: true, force: true });
await bundle.write({
  dir: TEMPORARY,
  // Node.js 20 loads CommonJS in half the time of ES modules: it neither links graphs nor waits for promises.
  format: "cjs",
  strict: true,
  codeSplitting: {
    groups: [
      { name: "program", test: (id) => atStart.has(id), priority: 4 },
      { name: "common", test: (id) => onRunPath.has(id) && onCopyPath.has(id), priority: 3 },
      { name: "run", test: (id) => onRunPath.has(id), priority: 2 },
      { name: "copy", test: (id) => onCopyPath.has(id), priority: 1 },
    ],
  },
});
await bundle.close();
await writeFile(join(TEMPORARY, "package.json"), '{ "type": "commonjs" }\n');
await writeFile(join(TEMPORARY, "LICENSES.txt"), await listLicenses());
// Worker threads start from files of their own, which stand beside whoever starts them.
for (const name of await readdir(join(COMPILED, "archive"))) {
  if (name.endsWith(".mjs")) await copyFile(join(COMPILED, "archive", name), join(TEMPORARY, name));
}
await chmod(join(TEMPORARY, "main.js"), 0o755);
await cp(COMPILED, DIST, { recursive: true, filter: (path) => path !== CLI });
await rm(join(DIST, "cli"), { recursive: true, force: true });
await rename(TEMPORARY, join(DIST, "cli"));
await rm(COMPILED, { recursive: true });

/** The notices that the joined packages want to go with their code. */
async function listLicenses() {
  const notices = JOINED.map(async (name) => {
    const text = await readFile(join(ROOT, "node_modules", name, "LICENSE"), "utf8");
    return `${name}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(notices)).join("\n----\n\n");
}

/**
 * The modules of which something is needed as soon as a file is loaded: its static imports, and theirs, as far as used.
 * @param {string} input
 */
async function listNeeded(input) {
  const probe = await rolldown({ ...OPTIONS, input });
  const { output } = await probe.generate({ format: "esm" });
  await probe.close();
  const chunks = new Map(
    output.flatMap((chunk) => (chunk.type === "chunk" ? [[chunk.fileName, chunk]] : [])),
  );
  const [first] = output;
  const loaded = new Set([first.fileName]);
  const needed = new Set([input]);
  for (const name of loaded) {
    const chunk = chunks.get(name);
    if (chunk === undefined) continue;
    for (const imported of chunk.imports) loaded.add(imported);
    for (const [id, { code }] of Object.entries(chunk.modules)) if (code) needed.add(id);
  }
  return needed;
}
