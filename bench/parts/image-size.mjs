// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * What our images weigh against ones made the ordinary way: `node bench/parts/image-size.mjs [IMAGE]...`, after
 * `npm run build`, as root, with mmdebstrap and zstd.
 *
 * The other image holds the same: every Debian package of the same closure by name, installed by mmdebstrap with the
 * files left out that debian:*-slim leaves out, in one layer as apt leaves it, with the modules that Python's packages
 * compile; and each other tool's very files in a layer of its own. Both are weighed by gzip at level 6, that of docker
 * and buildah, and by zstd at 3, that of its own command.
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
/** How the other image is compressed, where ours is by the encoder of that name. */
const ENCODERS = { gzip: "gzip -6n", zstd: "zstd -q -3 -c" };

/** @typedef {{ name: string, platforms: { platform: string, layers: { name: string, size: number, digest: string }[] }[] }} Image */

const folder = await mkdtemp(join(tmpdir(), "toolbox-image-size-"));
try {
  const lock = JSON.parse(await readFile(join(IMAGES, "toolbox.lock"), "utf8"));
  const store = join(folder, "store");
  const zipped = buildOurs(store, "gzip", process.argv.slice(2));
  const dense = buildOurs(store, "zstd", process.argv.slice(2));
  for (const [index, image] of zipped.entries()) {
    await compare({ gzip: image, zstd: dense[index] ?? image }, lock, store);
  }
} finally {
  await rm(folder, { recursive: true });
}

/**
 * @param {string} store
 * @param {keyof typeof ENCODERS} encoder
 * @param {string[]} names
 * @returns {Image[]}
 */
function buildOurs(store, encoder, names) {
  const only = ["--platform", PLATFORM, ...names.flatMap((name) => ["--image", name])];
  const words = [
    "-C",
    IMAGES,
    "build",
    "--frozen",
    "--json",
    "--no-progress",
    "--compression",
    encoder,
    ...only,
  ];
  const text = run(process.execPath, [join(ROOT, "dist", "cli", "main.js"), ...words], {
    ...process.env,
    TOOLBOX_STORE: store,
  });
  return JSON.parse(text).images;
}

/**
 * @param {Record<keyof typeof ENCODERS, Image>} images
 * @param {any} lock
 * @param {string} store
 */
async function compare(images, lock, store) {
  const tools = layersOf(images.gzip).filter(({ name }) => name in lock.tools);
  const entryOf = (/** @type {{ name: string }} */ { name }) => lock.tools[name].platforms[PLATFORM];
  const isDebian = (/** @type {{ name: string }} */ tool) => entryOf(tool).source === "debian";
  const closures = tools.filter(isDebian).map((tool) => entryOf(tool).packages);
  const packages = [lock.base.platforms[PLATFORM], ...closures]
    .flat()
    .filter(({ architecture }) => architecture);
  const root = join(folder, "root");
  installWithApt(root, lock.base.suite, [...new Set(packages.map((entry) => entry.name))]);
  const copied = tools.filter((tool) => !isDebian(tool));
  for (const [encoder, command] of Object.entries(ENCODERS)) {
    const ours = layersOf(images[/** @type {keyof typeof ENCODERS} */ (encoder)]);
    const weight = ours.reduce((sum, { size }) => sum + size, 0);
    let other = await countBytes(`tar -C "$1" --sort=name -c . | ${command}`, root);
    for (const { digest } of copied) {
      const blob = join(store, "blobs", digest.replace(":", "/"));
      other += await countBytes(`gzip -dc "$1" | ${command}`, blob);
    }
    console.log(
      `${images.gzip.name} ${PLATFORM} ${encoder}: ours ${megabytes(weight)}, the other ${megabytes(other)} (${share(weight, other)})`,
    );
  }
  await rm(root, { recursive: true });
}

/** @param {Image} image */
function layersOf({ platforms }) {
  return platforms.find(({ platform }) => platform === PLATFORM)?.layers ?? [];
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
