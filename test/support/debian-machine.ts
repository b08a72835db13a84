// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createHttpDispatcher } from "../../src/core/http-dispatcher.ts";
import { listArchiveAddresses, MACHINE_KEYRING, parseAptSources } from "../../src/debian/index.ts";
import type { DebianContext } from "../../src/sources/debian-archive.ts";
import { createFetcher } from "../../src/sources/fetcher.ts";
import { outputOf, runProgram } from "./programs.ts";

const APT = "/etc/apt";

/** The Debian mirrors that this machine's apt uses. Empty where there is no apt. */
export function listMachineMirrors(): readonly string[] {
  const parts = join(APT, "sources.list.d");
  const files = [
    join(APT, "sources.list"),
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []),
  ];
  return listArchiveAddresses(
    files
      .filter((file) => existsSync(file))
      .flatMap((file) => parseAptSources(file, readFileSync(file, "utf8"))),
  );
}

/** Whether dpkg and apt can be asked: they must be there, with a mirror, and we must be root to use chroot. */
export function canJudge(): boolean {
  return process.getuid?.() === 0 && existsSync("/usr/bin/dpkg-deb") && listMachineMirrors().length > 0;
}

/** Reads Debian through this machine's mirrors, with everything in `cacheDir`. */
export function openDebian(cacheDir: string): DebianContext {
  const { HTTP_PROXY, http_proxy, HTTPS_PROXY, https_proxy, NO_PROXY, no_proxy } = process.env;
  const dispatcher = createHttpDispatcher({
    proxy: {
      httpProxy: http_proxy ?? HTTP_PROXY,
      httpsProxy: https_proxy ?? HTTPS_PROXY,
      noProxy: no_proxy ?? NO_PROXY,
    },
  });
  return {
    cacheDir,
    now: readClock,
    fetchFile: createFetcher({ cacheDir, dispatcher, now: readClock }),
    mirrors: { addressesOf: async () => listMachineMirrors() },
  };
}

function readClock(): Date {
  return new Date();
}

/** An apt of its own for one architecture, that has no package installed and knows one suite with its updates. */
export async function openApt(folder: string, suite: string, architecture: string): Promise<Apt> {
  for (const name of ["state/lists/partial", "cache/archives/partial"]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  const [main = ""] = listMachineMirrors();
  const security = listMachineMirrors().find((address) => address.includes("security")) ?? `${main}-security`;
  const lines = [
    [main, suite],
    [main, `${suite}-updates`],
    [security, `${suite}-security`],
  ].map(([address, name]) => `deb [signed-by=${MACHINE_KEYRING}] ${address} ${name} main\n`);
  await writeFile(join(folder, "sources.list"), lines.join(""));
  await writeFile(join(folder, "status"), "");
  const settings = [
    `Dir "${folder}";`,
    `Dir::State "${folder}/state";`,
    `Dir::State::status "${folder}/status";`,
    `Dir::Cache "${folder}/cache";`,
    `Dir::Etc::sourcelist "${folder}/sources.list";`,
    ...["sourceparts", "parts", "main", "preferences", "preferencesparts"].map(
      (name) => `Dir::Etc::${name} "/dev/null";`,
    ),
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'APT::Sandbox::User "root";',
  ];
  await writeFile(join(folder, "apt.conf"), settings.join("\n"));
  const env = { APT_CONFIG: join(folder, "apt.conf"), LC_ALL: "C" };
  await outputOf("apt-get", ["update", "-qq"], { env });
  return {
    simulateInstall: async (packages) => {
      const { stdout, stderr, code } = await runProgram("apt-get", ["--simulate", "install", ...packages], {
        env,
      });
      if (code !== 0) throw new Error(stderr);
      const installed = stdout.matchAll(/^Inst (\S+) \((\S+) /gm);
      return [...installed]
        .map(([, name = "", version]) => `${name.replace(/:.*$/, "")}=${version}`)
        .toSorted();
    },
  };
}

/** The real apt. */
export interface Apt {
  /** What it would install, each `name=version`, sorted. */
  simulateInstall(packages: readonly string[]): Promise<readonly string[]>;
}
