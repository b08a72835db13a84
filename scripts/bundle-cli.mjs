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
const RUN = join(CLI, "commands", "run.js");
const DIST = join(ROOT, "dist");
const TEMPORARY = join(DIST, ".cli");

/** Packages of many small files in plain JavaScript: joined, they load in half the time. */
const JOINED = ["semver", "yaml", "zod"];

/**
 * The encoder's package asks for a newer Node.js than it needs, and who installs ours would be warned of it, or
 * stopped: its code comes with us instead, in the thread that uses it.
 */
const ENCODER = "libdeflate";

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

/** @type {import("rolldown").OutputOptions} */
const OUTPUT = {
  plugins: [{ name: "late-builtins", renderChunk: loadBuiltinsLate }],
  // Node.js 20 loads CommonJS in half the time of ES modules: it neither links graphs nor waits for promises.
  format: "cjs",
  strict: true,
  // Less text to keep while a file is compiled saves a run a garbage collection; names stay, for stack traces.
  comments: false,
  minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
  codeSplitting: {
    // What a front door names need not come with what is behind it.
    includeDependenciesRecursively: false,
    groups: [
      { name: "program", test: (id) => atStart.has(id), priority: 4 },
      { name: "common", test: (id) => onRunPath.has(id) && onCopyPath.has(id), priority: 3 },
      { name: "run", test: (id) => onRunPath.has(id), priority: 2 },
      { name: "copy", test: (id) => onCopyPath.has(id), priority: 1 },
    ],
  },
};

const atStart = await listNeeded(join(CLI, "main.js"));
const onRunPath = new Set([
  ...(await listNeeded(RUN)),
  ...(await listNeeded(join(COMPILED, "engines", "container-engine.js"))),
  join(COMPILED, "workspace", "index.js"),
]);
const onCopyPath = await listNeeded(join(CLI, "commands", "image-copy.js"));
const bundle = await rolldown({ ...OPTIONS, input: join(CLI, "main.js") });
await gatherRunPath();
await rm(TEMPORARY, { recursive: true, force: true });
await bundle.write({ ...OUTPUT, dir: TEMPORARY });
await bundle.close();
await writeFile(join(TEMPORARY, "package.json"), '{ "type": "commonjs" }\n');
await writeFile(join(TEMPORARY, "LICENSES.txt"), await listLicenses([...JOINED, ENCODER]));
await joinEncoder(join(COMPILED, "archive", "gzip-worker.mjs"));
await writeFile(join(COMPILED, "archive", "LICENSES.txt"), await listLicenses([ENCODER]));
// Worker threads and processes start from files of their own, which stand beside whoever starts them.
for (const folder of ["archive", "python", "sources"]) {
  for (const name of await readdir(join(COMPILED, folder))) {
    if (name.endsWith(".mjs")) await copyFile(join(COMPILED, folder, name), join(TEMPORARY, name));
  }
}
await chmod(join(TEMPORARY, "main.js"), 0o755);
await cp(COMPILED, DIST, { recursive: true, filter: (path) => path !== CLI });
await rm(join(DIST, "cli"), { recursive: true, force: true });
await rename(TEMPORARY, join(DIST, "cli"));
await rm(COMPILED, { recursive: true });

/** @param {string} worker */
async function joinEncoder(worker) {
  const joined = await rolldown({
    ...OPTIONS,
    input: worker,
    external: (id) => id.startsWith("node:"),
    treeshake: true,
  });
  await joined.write({ file: worker, format: "esm" });
  await joined.close();
}

/**
 * The notices that joined packages want to go with their code.
 * @param {readonly string[]} packages
 */
async function listLicenses(packages) {
  const notices = packages.map(async (name) => {
    const folder = join(ROOT, "node_modules", name);
    const file = (await readdir(folder)).find((entry) => /^LICENSE(\.\w+)?$/.test(entry));
    if (file === undefined) throw new Error(`${name} has no licence file`);
    const text = await readFile(join(folder, file), "utf8");
    return `${name}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(notices)).join("\n----\n\n");
}

/**
 * The modules of which something is needed as soon as a file is loaded: its static imports, and theirs, as far as used.
 * @param {string} input
 */
async function listNeeded(input) {
  /** @type {import("rolldown").Plugin} */
  const laterApart = {
    name: "later-apart",
    resolveDynamicImport: (id) => ({ id, external: true }),
  };
  const probe = await rolldown({ ...OPTIONS, input, plugins: [laterApart] });
  const { output } = await probe.generate({ format: "esm" });
  await probe.close();
  const needed = new Set([input]);
  for (const chunk of output) {
    if (chunk.type !== "chunk") continue;
    for (const [id, { code }] of Object.entries(chunk.modules)) if (code) needed.add(id);
  }
  return needed;
}

/** Adds what the rest of a module needs of which a run needs a part: else the bundler puts it into files of its own. */
async function gatherRunPath() {
  for (let size = -1; size < onRunPath.size;) {
    size = onRunPath.size;
    const { output } = await bundle.generate(OUTPUT);
    const chunks = output.filter((chunk) => chunk.type === "chunk");
    for (const path of [onRunPath, onCopyPath]) {
      const loaded = chunks.filter(({ moduleIds }) => moduleIds.some((id) => path.has(id)));
      const imported = new Set(loaded.flatMap(({ imports }) => imports));
      for (const { fileName, moduleIds } of chunks) {
        if (imported.has(fileName)) for (const id of moduleIds) if (!atStart.has(id)) path.add(id);
      }
    }
  }
}

/**
 * Has Node.js load a module of its own when one of its functions is first called, and not with the file that names it:
 * streams, promises of files and the like cost milliseconds, and most runs call none of them.
 * @param {string} code CommonJS as the bundler writes it: `let node_os = require("node:os");`, then `node_os.homedir`
 */
function loadBuiltinsLate(code) {
  let text = code;
  for (const [line, name, id] of code.matchAll(/^let (\w+) = require\("(node:[\w/]+)"\);\n/gm)) {
    const rest = text.replace(line, "");
    const uses = new RegExp(`(new )?\\b${name}\\.`, "g");
    // Named in any other way, the whole module is wanted at once.
    if (new RegExp(`\\b${name}\\b`).test(rest.replaceAll(uses, ""))) continue;
    text = rest.replaceAll(uses, (_, made) => (made ? `new (require("${id}")).` : `require("${id}").`));
  }
  return text;
}
