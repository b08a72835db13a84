// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Goal 6: the same digests whoever builds, where, and with which Node.js. Hosts of the other CPU are not at hand here;
 * images for both CPUs are built by each.
 */
import { chmod, cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CACHE } from "../content/programs.mjs";
import { firstLine, hasProgram } from "../harness/machine.mjs";
import { outputOf, TOOLBOX } from "../harness/processes.mjs";

const NOBODY = 65_534;

/** @typedef {{ who: string, node: string, shell: string[], env: Record<string, string>, uid?: number }} Builder */

/** @param {import("../parts.mjs").PartContext} context */
export async function measureDigests(context) {
  const { scratch, log } = context;
  const lock = await lockOnce(join(scratch, "locked"));
  const program = await copyPackage(join(scratch, "package"));
  /** @type {{ who: string, digest: string }[]} */
  const built = [];
  for (const builder of listBuilders(context)) {
    const folder = join(scratch, `builder ${built.length}`);
    const digest = await buildAs(builder, { lock, program, folder });
    built.push({ who: builder.who, digest });
    log(`${builder.who}: ${digest}`);
  }
  return { built, distinct: new Set(built.map(({ digest }) => digest)).size };
}

/** @param {import("../parts.mjs").PartContext} context @returns {Builder[]} */
function listBuilders({ programs }) {
  const plain = { LC_ALL: "C", TZ: "UTC" };
  const builders = [
    {
      who: `root, Node.js ${process.version}, umask 022, C, UTC`,
      node: process.execPath,
      shell: ["sh", "-c", 'umask 022; exec "$@"', "sh"],
      env: plain,
    },
  ];
  const user = hasProgram("setpriv") && process.getuid?.() === 0;
  const becomeNobody = user
    ? ["setpriv", "--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups"]
    : [];
  for (const [index, name] of ["node-22", "node-24"].entries()) {
    const node = programs[name];
    const version = node && firstLine(node, ["--version"]);
    if (node === undefined || version === undefined) continue;
    builders.push({
      who: `${user ? "nobody" : "the same user"}, Node.js ${version}, umask 0${index * 5}77, tr_TR.UTF-8, Asia/Kathmandu`,
      node,
      shell: [...becomeNobody, "sh", "-c", `umask 0${index * 5}77; exec "$@"`, "sh"],
      env: { LC_ALL: "tr_TR.UTF-8", TZ: "Asia/Kathmandu" },
      ...(user && { uid: NOBODY }),
    });
  }
  return builders;
}

/** @param {string} folder */
async function lockOnce(folder) {
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, "toolbox.yaml"),
    [
      "base: { debian: trixie, packages: [bash, libnss-unknown] }",
      "tools: { jq: { source: debian }, greet: { source: file, path: ./greet, summary: Say hello } }",
      "images: { image: { tools: [jq, greet] } }",
      "",
    ].join("\n"),
  );
  await writeFile(join(folder, "greet"), "#!/bin/sh\necho hello\n");
  await outputOf(process.execPath, [TOOLBOX, "lock", "--no-progress"], {
    cwd: folder,
    env: { TOOLBOX_CACHE: join(CACHE, "product") },
  });
  return folder;
}

/** Where every user may read it, as an installed package is. @param {string} folder */
async function copyPackage(folder) {
  await chmod(dirname(folder), 0o755);
  const root = join(dirname(TOOLBOX), "..", "..");
  for (const name of ["dist", "catalog", "schema", "package.json", "node_modules"])
    await cp(join(root, name), join(folder, name), { recursive: true, verbatimSymlinks: true });
  return join(folder, "dist", "cli", "main.js");
}

/**
 * Node.js, workspace, cache and store of one's own.
 *
 * @param {Builder} builder @param {{ lock: string, program: string, folder: string }} place
 */
async function buildAs({ node, shell, env, uid }, { lock, program, folder }) {
  await mkdir(folder);
  await cp(lock, join(folder, "work"), { recursive: true });
  await cp(join(CACHE, "product"), join(folder, "cache"), { recursive: true });
  await cp(node, join(folder, "node"));
  if (uid !== undefined) await outputOf("chown", ["-R", `${uid}:${uid}`, folder]);
  const places = {
    HOME: folder,
    TOOLBOX_CACHE: join(folder, "cache"),
    TOOLBOX_STORE: join(folder, "store"),
    XDG_STATE_HOME: join(folder, "state"),
  };
  const words = [...shell, join(folder, "node"), program, "build", "--frozen", "--json", "--no-progress"];
  const [command = "", ...rest] = words;
  const answer = await outputOf(command, rest, { cwd: join(folder, "work"), env: { ...env, ...places } });
  return JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1)).images[0].index.digest;
}
