// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Gets the peers, each by the ordinary client of its registry; whoever cannot be had is named, and left out. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CACHE } from "../content/programs.mjs";
import { hasProgram } from "./machine.mjs";

/** Debian packages, by a program of each. */
const DEBIAN = {
  buildah: "buildah",
  bwrap: "bubblewrap",
  "docker-registry": "docker-registry",
  dockerd: "docker.io",
  "dpkg-deb": "dpkg",
  mmdebstrap: "mmdebstrap",
  podman: "podman",
  python3: "python3",
  "rsvg-convert": "librsvg2-bin",
  runc: "runc",
  skopeo: "skopeo",
  umoci: "umoci",
};

const CPU = process.arch === "arm64" ? "arm64" : "x64";

/** npm packages with a program in each: folder, package, exact version, path of the program. */
const NPM = /** @type {const} */ ({
  mise: [`@jdxcode/mise-linux-${CPU}`, "2026.9.15", "bin/mise"],
});

/** Go programs, by module and version. */
const GO = {
  crane: "github.com/google/go-containerregistry/cmd/crane@v0.22.1",
  buildctl: "github.com/moby/buildkit/cmd/buildctl@v0.18.2",
  buildkitd: "github.com/moby/buildkit/cmd/buildkitd@v0.18.2",
};

/**
 * @param {(line: string) => void} log
 * @returns {Promise<Record<string, string>>} Paths of the programs that do not come from Debian, by name.
 */
export async function installPeers(log) {
  installDebian(log);
  const found = { ...(await installNpm(log)), ...installGo(log) };
  return Object.fromEntries(Object.entries(found).filter(([, path]) => existsSync(path)));
}

/** @param {(line: string) => void} log */
function installDebian(log) {
  const missing = Object.entries(DEBIAN).filter(([program]) => !hasProgram(program));
  if (missing.length === 0) return;
  const names = missing.map(([, name]) => name);
  if (process.getuid?.() !== 0) {
    log(`as root, Debian's ${names.join(", ")} would be installed`);
    return;
  }
  log(`apt-get install ${names.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update"], { env, stdio: "ignore" });
  // One by one: a package that this Debian does not have must not keep the others away.
  for (const [program, name] of missing) {
    spawnSync("apt-get", ["install", "--yes", "--no-install-recommends", name], { env, stdio: "ignore" });
    if (!hasProgram(program)) log(`"${name}" could not be installed`);
  }
}

/** @param {(line: string) => void} log */
async function installNpm(log) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const [name, [npmPackage, version, path]] of Object.entries(NPM)) {
    const folder = join(CACHE, "npm", `${name}-${version}`);
    const program = join(folder, "node_modules", npmPackage, path);
    found[name] = program;
    if (existsSync(program)) continue;
    log(`npm install ${npmPackage}@${version}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "package.json"), '{ "private": true }\n');
    const options = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent"];
    spawnSync("npm", ["install", ...options, `${npmPackage}@${version}`], { cwd: folder, stdio: "ignore" });
    if (!existsSync(program)) log(`"${npmPackage}" could not be had`);
  }
  return found;
}

/** @param {(line: string) => void} log */
function installGo(log) {
  /** @type {Record<string, string>} */
  const found = {};
  const bin = join(CACHE, "go");
  for (const [name, module] of Object.entries(GO)) {
    // The version is part of the folder, so that another one is compiled anew.
    const folder = join(bin, module.slice(module.lastIndexOf("@") + 1));
    found[name] = join(folder, name);
    if (existsSync(found[name] ?? "")) continue;
    if (!hasProgram("go")) {
      log(`"${name}" would be compiled, but there is no Go`);
      continue;
    }
    log(`go install ${module}`);
    const env = { ...process.env, GOBIN: folder, GOFLAGS: "-buildvcs=false", CGO_ENABLED: "0" };
    spawnSync("go", ["install", module], { env, stdio: "ignore" });
    if (!existsSync(found[name] ?? "")) log(`"${name}" could not be compiled`);
  }
  return found;
}
