// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * What our images weigh against ones made the ordinary way: `node bench/parts/image-size.mjs [IMAGE]...`, after
 * `npm run build`, as root, with mmdebstrap.
 *
 * The other image holds the same: every Debian package of the same closure by name, installed by mmdebstrap with the
 * files left out that debian:*-slim leaves out, in one layer; and each other tool's very files in a layer of its own.
 * Its layers are compressed by `gzip -6`, the level of docker and buildah. Twice: as apt leaves it, and without the
 * modules that Debian's packages compile when they are installed, which ours leave out (decision 0006).
 * The host's platform only, because mmdebstrap runs what it installs.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const IMAGES = join(ROOT, "images");
const PLATFORM = arch() === "arm64" ? "linux/arm64" : "linux/amd64";

/** What debian:*-slim leaves out, by its own list. */
const SLIM = [
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
  ...["groff", "info", "linda", "lintian", "locale", "man"].map(
    (name) => `path-exclude=/usr/share/${name}/*`,
  ),
  "path-include=/usr/share/locale/locale.alias",
];
const COMPILED = "--exclude=__pycache__";

/** @typedef {{ name: string, platforms: { platform: string, layers: { name: string, size: number, digest: string }[] }[] }} Image */

const folder = await mkdtemp(join(tmpdir(), "toolbox-image-size-"));
try {
  const lock = JSON.parse(await readFile(join(IMAGES, "toolbox.lock"), "utf8"));
  const store = join(folder, "store");
  for (const image of buildOurs(store, process.argv.slice(2))) await compare(image, lock, store);
} finally {
  await rm(folder, { recursive: true });
}

/**
 * @param {string} store
 * @param {string[]} names
 * @returns {Image[]}
 */
function buildOurs(store, names) {
  const only = ["--platform", PLATFORM, ...names.flatMap((name) => ["--image", name])];
  const words = ["-C", IMAGES, "build", "--frozen", "--json", "--no-progress", ...only];
  const text = run(process.execPath, [join(ROOT, "dist", "cli", "main.js"), ...words], {
    ...process.env,
    TOOLBOX_STORE: store,
  });
  return JSON.parse(text).images;
}

/**
 * @param {Image} image
 * @param {any} lock
 * @param {string} store
 */
async function compare({ name, platforms }, lock, store) {
  const layers = platforms.find(({ platform }) => platform === PLATFORM)?.layers ?? [];
  const tools = layers.map((layer) => layer.name).filter((layer) => layer in lock.tools);
  const isDebian = (/** @type {string} */ tool) => lock.tools[tool].platforms[PLATFORM].source === "debian";
  const closures = tools.map((tool) => lock.tools[tool].platforms[PLATFORM].packages ?? []);
  const packages = [lock.base.platforms[PLATFORM], ...closures]
    .flat()
    .filter(({ architecture }) => architecture);
  const root = join(folder, "root");
  installWithApt(root, lock.base.suite, [...new Set(packages.map((entry) => entry.name))]);

  let copied = 0;
  for (const { name: tool, digest } of layers) {
    if (tool in lock.tools && !isDebian(tool))
      copied += await repack(join(store, "blobs", digest.replace(":", "/")));
  }
  const ours = layers.reduce((sum, { size }) => sum + size, 0);
  const installed = copied + (await packFolder(root, []));
  const equal = copied + (await packFolder(root, [COMPILED]));
  console.log(
    `${name} ${PLATFORM}: ours ${megabytes(ours)}; as apt leaves it ${megabytes(installed)} (${share(ours, installed)});` +
      ` at equal contents ${megabytes(equal)} (${share(ours, equal)})`,
  );
  await rm(root, { recursive: true });
}

/**
 * @param {string} root
 * @param {string} suite
 * @param {string[]} packages
 */
function installWithApt(root, suite, packages) {
  const options = SLIM.map((rule) => `--dpkgopt=${rule}`);
  run(
    "mmdebstrap",
    ["--quiet", "--variant=minbase", ...options, `--include=${packages.join(",")}`, suite, root],
    {
      ...process.env,
      LC_ALL: "C.UTF-8",
    },
  );
}

/** The compressed size of a layer of ours, written by gzip. @param {string} blob */
async function repack(blob) {
  return countBytes(`gzip -dc "$1" | gzip -6n`, blob);
}

/**
 * @param {string} root
 * @param {string[]} options
 */
async function packFolder(root, options) {
  return countBytes(`root=$1; shift; tar -C "$root" --sort=name "$@" -c . | gzip -6n`, root, ...options);
}

/**
 * @param {string} script
 * @param {string[]} operands
 */
async function countBytes(script, ...operands) {
  const child = spawn("bash", ["-o", "pipefail", "-c", script, "bash", ...operands], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  let bytes = 0;
  for await (const part of child.stdout) bytes += part.length;
  const [code] = await closed;
  if (code !== 0) throw new Error(`"${script}" ended with ${code}`);
  return bytes;
}

/**
 * @param {string} program
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
function run(program, args, env) {
  const { status, stdout, error } = spawnSync(program, args, {
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return stdout;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** @param {number} ours @param {number} theirs */
function share(ours, theirs) {
  return `${((ours / theirs) * 100).toFixed(1)} %`;
}
