// SPDX-License-Identifier: Apache-2.0
import { copyFile, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseControl } from "../../src/debian/index.ts";
import { canJudge, listMachineMirrors, openDebian } from "../support/debian-machine.ts";
import { makeFolder, outputOf, ROOT, type TemporaryFolder } from "../support/programs.ts";
import { type ReportedImage, TOOLBOX_CACHE } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";
import { unpackLayers, type UnpackedLayers } from "../support/unpacked-layers.ts";

/**
 * `gawk` and `bc` both need readline, and `gawk` is an alternative for the base's `awk`; `nano` is one for `editor`,
 * which the base has as well.
 */
const WORKSPACE = `
registry: example.com/judge
platforms: [linux/amd64]
base: { debian: trixie, packages: [vim-tiny] }
tools:
  gawk: { definition: { name: gawk, summary: AWK, license: GPL-3.0-or-later, binaries: [gawk], version: { args: [--version], contains: "{{version}}" }, examples: [], sources: [{ source: debian, package: gawk }] } }
  bc: { definition: { name: bc, summary: Calculator, license: GPL-3.0-or-later, binaries: [bc], version: { args: [--version], contains: "{{version}}" }, examples: [], sources: [{ source: debian, package: bc, version: { pattern: '^(\\d+\\.\\d+)' } }] } }
  nano: { definition: { name: nano, summary: Editor, license: GPL-3.0-or-later, binaries: [nano], version: { args: [--version], contains: "{{version}}" }, examples: [], sources: [{ source: debian, package: nano, keep: ["/usr/share/locale/de/*"] }] } }
images:
  alone: { tools: [gawk] }
  all: { tools: [nano, bc, gawk] }
  swapped: { tools: [gawk, bc, nano] }
  child: { extends: alone, tools: [nano, bc] }
`;

describe.runIf(canJudge())("several tools from Debian", () => {
  let folder: TemporaryFolder;
  let workspace: SmallWorkspace;
  let images: readonly ReportedImage[];
  let image: UnpackedLayers;

  beforeAll(async () => {
    folder = await makeFolder("debian-tools");
    workspace = await makeWorkspace();
    await workspace.write("toolbox.yaml", WORKSPACE);
    const { code, stdout, stderr } = await workspace.toolbox(["build", "--json"]);
    if (code !== 0) throw new Error(`${stdout}${stderr}`);
    images = (JSON.parse(stdout) as { images: readonly ReportedImage[] }).images;
    const all = images.find(({ name }) => name === "all");
    image = await unpackLayers(all, workspace.store, join(folder.path, "image"));
  });
  afterAll(async () => {
    await workspace?.remove();
    await folder?.remove();
  });

  test("have the same layers in every image, in whatever order an image names them", () => {
    const names = ["bc", "gawk", "nano"];
    for (const name of names) {
      const found = images.flatMap(({ platforms }) =>
        (platforms[0]?.layers ?? []).filter((layer) => layer.name === name).map(({ digest }) => digest),
      );
      expect([name, found.length, new Set(found).size]).toEqual([name, name === "gawk" ? 4 : 3, 1]);
    }
    const [alone, child] = ["alone", "child"].map((name) => layersOf(name).slice(0, 2));
    expect(child).toEqual(alone);
  });

  test("both hold a library that both need, the same to the byte", async () => {
    const packages = Object.fromEntries(
      Object.entries(JSON.parse(workspace.visible().lock ?? "").tools as Record<string, LockedTool>).map(
        ([name, { platforms }]) => [name, platforms["linux/amd64"].packages.map((item) => item.name)],
      ),
    );
    expect(packages["gawk"]).toContain("libreadline8t64");
    expect(packages["bc"]).toContain("libreadline8t64");
    expect(await image.inside("echo 2^10 | bc; gawk --version | head -c 7; nano --version | head -c 9")).toBe(
      "1024\nGNU Awk GNU nano",
    );
  });

  test("are one package database to dpkg and apt", async () => {
    expect(await image.inside("dpkg --audit && apt-get -qq check && dpkg --configure -a")).toBe("");
    const states = await image.inside("dpkg-query -W -f '${db:Status-Abbrev}\n' | sort -u");
    expect(states).toBe("ii \n");
    expect(await image.inside("dpkg -S /usr/bin/gawk /usr/bin/bc /usr/bin/nano | sort")).toBe(
      "bc: /usr/bin/bc\ngawk: /usr/bin/gawk\nnano: /usr/bin/nano\n",
    );
  });

  test("share alternatives, triggers and stanzas with the base as the real dpkg leaves them", async () => {
    const judge = join(folder.path, "judge");
    await configureWithDpkg(judge);
    for (const place of ["var/lib/dpkg/alternatives", "var/lib/dpkg/triggers"]) {
      expect(await readFolder(join(image.root, place))).toEqual(await readFolder(join(judge, place)));
    }
    const [ours, real] = [await readAlternativeLinks(image.root), await readAlternativeLinks(judge)];
    expect(ours["awk"]).toBe("/usr/bin/gawk");
    expect(ours).toEqual(real);
    const stanzas = parseControl(await readFile(join(image.root, "var/lib/dpkg/status"), "utf8"));
    const expected = parseControl(await readFile(join(judge, "var/lib/dpkg/status"), "utf8"));
    expect(stanzas.map(identify).toSorted()).toEqual(expected.map(identify).toSorted());
  });

  test("leave out what nobody needs there; copyright files and what a tool keeps stay", async () => {
    const docs =
      "cd /usr/share && ls -d man/man1 doc/bc/copyright doc/bc/README* locale/fr locale/de 2>/dev/null";
    expect((await image.run(docs)).stdout).toBe("doc/bc/copyright\nlocale/de\n");
    const without =
      "for p in $(dpkg-query -W -f '${Package} '); do [ -e /usr/share/doc/$p/copyright ] || echo $p; done";
    expect(await image.inside(without)).toBe("");
  });

  test("can be added to, and taken away, by apt in the image", async () => {
    const [main = ""] = listMachineMirrors();
    await writeFile(join(image.root, "etc/apt/sources.list"), `deb ${main} trixie main\n`);
    await mkdir(join(image.root, "etc/apt/apt.conf.d"), { recursive: true });
    await writeFile(join(image.root, "etc/apt/apt.conf.d/00test"), 'APT::Sandbox::User "root";\n');
    await copyFile("/etc/resolv.conf", join(image.root, "etc/resolv.conf"));
    await image.inside(
      "apt-get -qq update && apt-get -qq install --no-install-recommends tree dc >/dev/null 2>&1",
    );
    expect(
      await image.inside("tree --version | head -c 6; echo 2 3 + p | dc; ls /usr/share/man 2>/dev/null"),
    ).toBe("tree v5\n");
    await image.inside("apt-get -qq remove gawk >/dev/null 2>&1");
    expect(
      await image.inside("readlink /etc/alternatives/awk; echo a b | awk '{ print $2 }'; dpkg --audit"),
    ).toBe("/usr/bin/mawk\nb\n");
    expect(await image.inside("echo 6*7 | bc")).toBe("42\n");
  });

  const layersOf = (name: string): readonly string[] => {
    const found = images.find((item) => item.name === name);
    return (found?.platforms[0]?.layers ?? []).map(({ digest }) => digest);
  };

  /** The base's and all tools' packages together, unpacked and configured by the real dpkg. */
  const configureWithDpkg = async (root: string): Promise<void> => {
    const lock = JSON.parse(workspace.visible().lock ?? "") as LockText;
    const debian = openDebian(TOOLBOX_CACHE);
    const tools = Object.values(lock.tools).flatMap(({ platforms }) => platforms["linux/amd64"].packages);
    const packages = new Map(
      [...lock.base.platforms["linux/amd64"], ...tools].map((item) => [item.name, item]),
    );
    const debs = join(folder.path, "debs");
    await mkdir(debs);
    for (const { name, architecture, sha256, size } of packages.values()) {
      const { path } = await debian.fetchFile({ url: "http://cached.invalid/", name, sha256, size });
      await symlink(path, join(debs, `${name}_${architecture}.deb`));
    }
    await outputOf("sh", [join(ROOT, "test", "support", "dpkg-judge.sh"), root, debs]);
  };
});

interface LockedItem {
  readonly name: string;
  readonly architecture: string;
  readonly sha256: string;
  readonly size: number;
}

interface LockedTool {
  readonly platforms: { readonly "linux/amd64": { readonly packages: readonly LockedItem[] } };
}

interface LockText {
  readonly base: { readonly platforms: { readonly "linux/amd64": readonly LockedItem[] } };
  readonly tools: Readonly<Record<string, LockedTool>>;
}

/** Manual pages are left out, and with them what leads to one. */
const MANUAL_PAGE = /\d\.gz$/;

/** Texts by name, with lines in order: in which order dpkg notes who waits for a trigger means nothing. */
async function readFolder(folder: string): Promise<Record<string, readonly string[]>> {
  const files: Record<string, readonly string[]> = {};
  for (const name of await readdir(folder)) {
    if (name === "Lock" || MANUAL_PAGE.test(name)) continue;
    const lines = (await readFile(join(folder, name), "utf8")).split("\n");
    files[name] = folder.endsWith("triggers") ? lines.toSorted() : lines;
  }
  return files;
}

async function readAlternativeLinks(root: string): Promise<Record<string, string>> {
  const folder = join(root, "etc/alternatives");
  const names = (await readdir(folder)).filter((name) => name !== "README" && !MANUAL_PAGE.test(name));
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readlink(join(folder, name))] as const)),
  );
}

function identify({ Package, Version, Status }: Readonly<Record<string, string | undefined>>): string {
  return `${Package} ${Version} ${Status}`;
}
