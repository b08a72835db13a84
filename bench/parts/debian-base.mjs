// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Goal 9: a Debian base out of packages that were downloaded before, against mmdebstrap. With `--arm64` the other CPU
 * too, once: mmdebstrap runs maintainer scripts, which takes ten minutes under qemu.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CACHE } from "../content/programs.mjs";
import { firstLine } from "../harness/machine.mjs";
import { measureSteps } from "../harness/measure.mjs";
import { outputOf, TOOLBOX } from "../harness/processes.mjs";
import { joinCosts } from "./images.mjs";

/** @typedef {import("../parts.mjs").PartContext} PartContext */
/** @typedef {import("../harness/measure.mjs").Cost} Cost */

const SUITE = "trixie";
const PACKAGES = [
  "bash",
  "ca-certificates",
  "coreutils",
  "curl",
  "git",
  "jq",
  "less",
  "openssh-client",
  "procps",
  "python3-minimal",
  "vim-tiny",
];

/** @param {PartContext} context */
export async function measureDebianBase(context) {
  const peers = { mmdebstrap: firstLine("mmdebstrap", ["--version"]) };
  const amd64 = await compare("amd64", context.rounds, context);
  if (!context.arm64) return { peers, packages: PACKAGES, amd64 };
  return { peers, packages: PACKAGES, amd64, arm64: await compare("arm64", 1, context) };
}

/** @param {"amd64" | "arm64"} cpu @param {number} rounds @param {PartContext} context */
async function compare(cpu, rounds, context) {
  const ours = await prepareOurs(cpu, context.scratch);
  const theirs = await prepareMmdebstrap(cpu, context.scratch);
  /** @type {{ ours: Cost[], peer: Cost[] }} */
  const seen = { ours: [], peer: [] };
  for (let round = 0; round < rounds; round += 1) {
    seen.ours.push(await ours());
    seen.peer.push(await theirs());
    const [mine, other] = [seen.ours.at(-1)?.wall ?? 0, seen.peer.at(-1)?.wall ?? 0];
    context.log(`base for ${cpu}: ${mine.toFixed(1)} s, mmdebstrap ${other.toFixed(1)} s`);
  }
  return { ours: joinCosts(seen.ours), peer: joinCosts(seen.peer) };
}

/** A locked workspace whose packages lie in the cache; each run starts with an empty store. @param {string} cpu @param {string} scratch */
async function prepareOurs(cpu, scratch) {
  const folder = join(scratch, `base-${cpu}`);
  const env = { TOOLBOX_STORE: join(folder, "store"), TOOLBOX_CACHE: join(CACHE, "product") };
  await mkdir(folder, { recursive: true });
  await writeFile(
    join(folder, "toolbox.yaml"),
    `platforms: [linux/${cpu}]\nbase: { debian: ${SUITE}, packages: [${PACKAGES.join(", ")}] }\nimages: { base: { tools: [] } }\n`,
  );
  const build = async () => {
    await rm(env.TOOLBOX_STORE, { recursive: true, force: true });
    const argv = [process.execPath, TOOLBOX, "build", "--frozen", "--no-progress"];
    return await measureSteps([{ argv, cwd: folder, env }]);
  };
  await outputOf(process.execPath, [TOOLBOX, "lock", "--no-progress"], { cwd: folder, env });
  await build();
  return build;
}

/** Its packages lie in a folder that it copies in; each run starts with an empty tree. @param {string} cpu @param {string} scratch */
async function prepareMmdebstrap(cpu, scratch) {
  const debs = join(scratch, `debs-${cpu}`);
  const target = join(scratch, `${cpu}.tar`);
  await mkdir(debs, { recursive: true });
  const mirror = await findMirror();
  const argv = (/** @type {string[]} */ ...hooks) => [
    "mmdebstrap",
    "--quiet",
    "--variant=minbase",
    "--mode=root",
    `--architectures=${cpu}`,
    `--include=${PACKAGES.join(",")}`,
    "--skip=download/empty",
    "--skip=essential/unlink",
    "--skip=cleanup/apt",
    '--setup-hook=mkdir -p "$1"/var/cache/apt/archives',
    `--setup-hook=sync-in ${debs} /var/cache/apt/archives`,
    ...hooks,
    SUITE,
    target,
    mirror,
  ];
  const env = { LC_ALL: "C.UTF-8", SOURCE_DATE_EPOCH: "0" };
  await measureSteps([{ argv: argv(`--customize-hook=sync-out /var/cache/apt/archives ${debs}`), env }]);
  return async () => {
    await rm(target, { force: true });
    return await measureSteps([{ argv: argv(), env }]);
  };
}

/** The Debian mirror of the machine's own apt settings. */
async function findMirror() {
  const sites = await outputOf("apt-get", ["indextargets", "--format", "$(REPO_URI) $(CREATED_BY) $(LABEL)"]);
  const line = sites.split("\n").find((text) => /\/debian\/? .*Packages/.test(text)) ?? "";
  const [mirror = ""] = line.split(" ");
  if (mirror === "") throw new Error("apt's settings name no Debian mirror");
  return mirror;
}
