// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** The same content for everybody: eight real Go programs out of Debian packages, and the base that they are laid on. */
import { cp, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { outputOf, TOOLBOX } from "../harness/processes.mjs";
import { serveDockerRegistry } from "../harness/registries.mjs";

/** Where peers and content are kept between runs. */
export const CACHE = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "toolbox-bench");

/** The programs by name, in the order of the Dockerfile; each is a file of a Debian package. */
const PROGRAMS = /** @type {const} */ ({
  caddy: ["caddy", "usr/bin/caddy"],
  containerd: ["containerd", "usr/bin/containerd"],
  dockerd: ["docker.io", "usr/sbin/dockerd"],
  gh: ["gh", "usr/bin/gh"],
  hugo: ["hugo", "usr/bin/hugo"],
  kubectl: ["kubernetes-client", "usr/bin/kubectl"],
  podman: ["podman", "usr/bin/podman"],
  rclone: ["rclone", "usr/bin/rclone"],
});

export const NAMES = /** @type {(keyof typeof PROGRAMS)[]} */ (Object.keys(PROGRAMS));

/**
 * Downloads what is missing and unpacks it. Takes a minute the first time.
 *
 * @returns {Promise<{ folder: string, bytes: number }>} One file for each name.
 */
export async function preparePrograms() {
  const folder = join(CACHE, "programs");
  await mkdir(folder, { recursive: true });
  const there = new Set(await readdir(folder));
  for (const name of NAMES.filter((each) => !there.has(each))) {
    const [debianPackage, path] = PROGRAMS[name];
    const scratch = join(CACHE, "unpacking");
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true });
    await outputOf("apt-get", ["download", "-o", "APT::Sandbox::User=root", debianPackage], { cwd: scratch });
    const [archive = ""] = await readdir(scratch);
    await outputOf("dpkg-deb", ["-x", join(scratch, archive), join(scratch, "tree")]);
    await cp(join(scratch, "tree", path), join(folder, name));
    await rm(scratch, { recursive: true });
  }
  const sizes = await Promise.all(NAMES.map(async (name) => (await stat(join(folder, name))).size));
  return { folder, bytes: sizes.reduce((a, b) => a + b, 0) };
}

/** Repository of the base and of all that is made on it: nobody has to send the base again. */
export const REPOSITORY = "bench/image";
export const BASE_TAG = "base";

/**
 * A folder with the data of a docker-registry that holds a small Debian base for this machine's CPU. Copy it to have
 * a registry that nobody has pushed to. The base is made by toolbox, as any other image would do.
 *
 * @param {string} scratch
 */
export async function prepareBase(scratch) {
  const workspace = join(scratch, "base-workspace");
  await mkdir(workspace, { recursive: true });
  await writeFile(
    join(workspace, "toolbox.yaml"),
    `platforms: [${hostPlatform()}]\nbase: { debian: trixie, packages: [bash] }\nimages: { image: { tools: [] } }\n`,
  );
  const data = join(scratch, "base-registry");
  const registry = await serveDockerRegistry(data);
  try {
    const options = { cwd: workspace, env: ownStore(join(scratch, "base-store")) };
    await outputOf(process.execPath, [TOOLBOX, "build", "--no-progress"], options);
    const to = ["publish", "--tag", BASE_TAG, "--to", `${registry.host}/bench`];
    await outputOf(process.execPath, [TOOLBOX, ...to], options);
  } finally {
    await registry.stop();
  }
  return data;
}

/** A store of its own; downloads are shared, where they are not what is measured. @param {string} folder */
function ownStore(folder) {
  return { TOOLBOX_STORE: join(folder, "store"), XDG_STATE_HOME: join(folder, "state") };
}

export function hostPlatform() {
  return process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
}
