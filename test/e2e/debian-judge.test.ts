// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compressGzip, writeTar } from "../../src/archive/index.ts";
import { addCompiledModules } from "../../src/build/python-modules.ts";
import type { Platform } from "../../src/core/platform.ts";
import {
  compareVersions,
  type LockedPackage,
  type MaterializedPackages,
  parseControl,
  resolveClosure,
} from "../../src/debian/index.ts";
import {
  type DebianContext,
  lockDebianBase,
  openPackageIndex,
  readDebianPackages,
} from "../../src/sources/debian-archive.ts";
import { canJudge, openApt, openDebian } from "../support/debian-machine.ts";
import { makeFolder, outputOf, ROOT, runProgram, type TemporaryFolder } from "../support/programs.ts";

const SUITE = "trixie";
const PLATFORMS: readonly Platform[] = ["linux/amd64", "linux/arm64"];
const WISHES =
  "bash coreutils ca-certificates curl git jq less openssh-client python3-minimal vim-tiny procps".split(" ");

/** Seconds of CPU for the base from a warm cache, compressed: 12 seconds on two cores, however busy they are. */
const BASE_BUDGET = 24;

/** What dpkg leaves that we do not make, or make otherwise, and why that is right. */
const REVIEWED: readonly (readonly [path: RegExp, reason: string])[] = [
  [/\/__pycache__\/(?:_sysconfigdata__|sitecustomize)[^/]*$/, "modules that are links stay sources"],
  [/^usr\/share\/python3\/(?:debpython\/)?__pycache__/, "only scripts of packages import these"],
  [/^etc\/(?:\.pwd\.lock|(?:passwd|group|gshadow)-)$/, "lock and backups of the programs that edit accounts"],
  [/^etc\/ld\.so\.cache$|^var\/cache\/ldconfig\//, "the loader knows the multiarch folders without a cache"],
  [/^etc\/rcS\.d\/|^etc\/systemd\/(?:system|user)\/[^/]+\.wants(?:\/|$)/, "no init runs in a container"],
  [/^var\/lib\/systemd\/deb-systemd-(?:user-)?helper-enabled(?:\/|$)/, "no init runs in a container"],
  [/^run\/adduser$/, "lock of a program that does not run"],
  [/^var\/cache\/debconf\/[a-z]+\.dat(?:-old)?$/, "answers to questions that nobody was asked"],
  [/^var\/lib\/dpkg\/(?:lock(?:-frontend)?|status-old|triggers\/Lock)$/, "locks and backup of dpkg"],
  [/^var\/lib\/dpkg\/status$/, "order of fields; compared field by field below"],
  [/^var\/log\/(?:alternatives|dpkg)\.log$/, "logs of what did not run"],
];

/**
 * Writes what dpkg's scripts had compiled once more, each module as if it were alone in the world: as the scripts leave it,
 * a module shares strings or not, as it happens to the Python that compiles it among others.
 */
const WRITE_ALONE = `
import marshal, pathlib
for path in pathlib.Path("/usr").rglob("*.pyc"):
    content = path.read_bytes()
    code = marshal.loads(content[16:])
    path.write_bytes(content[:16] + marshal.dumps(marshal.loads(marshal.dumps(code, 2))))
`;

describe.runIf(canJudge())("with the machine's own dpkg and apt as judges,", () => {
  let work: TemporaryFolder;
  let debian: DebianContext;

  beforeAll(async () => {
    work = await makeFolder("judge");
    debian = openDebian(join(work.path, "cache"));
  });
  afterAll(async () => work?.remove());

  test("versions are ordered as dpkg orders them", async () => {
    const index = await openPackageIndex(SUITE, "amd64", debian);
    const real = [...index.records.values()].flatMap((records) => records.map(({ version }) => version));
    const some = fc.sample(fc.tuple(fc.constantFrom(...real), fc.constantFrom(...real)), 300);
    const odd = fc.sample(fc.tuple(oddVersion(), oddVersion()), 700);
    const pairs = [...some, ...odd].map((pair) => pair.join(" "));
    const script =
      'for pair; do set -- $pair; for op in lt eq gt; do dpkg --compare-versions "$1" $op "$2" && echo $op; done; done; true';
    const said = (await outputOf("sh", ["-c", script, "sh", ...pairs], { env: { LC_ALL: "C" } }))
      .trim()
      .split("\n");
    const ours = pairs.map((pair) => {
      const [a = "", b = ""] = pair.split(" ");
      return ["lt", "eq", "gt"][Math.sign(compareVersions(a, b)) + 1];
    });
    expect(ours.map((order, index) => `${pairs[index]} ${order}`)).toEqual(
      said.map((order, index) => `${pairs[index]} ${order}`),
    );
  });

  test.each(["amd64", "arm64"])(
    "closures on %s are the ones that apt would install",
    async (architecture) => {
      const apt = await openApt(join(work.path, `apt-${architecture}`), SUITE, architecture);
      const index = await openPackageIndex(SUITE, architecture, debian);
      const wishes = [
        WISHES,
        ["kubernetes-client"],
        ["awscli"],
        ["python3-openstackclient"],
        ["docker-cli", "docker-buildx"],
        ["skopeo"],
        ["ansible"],
        ["default-mta"],
        ["build-essential"],
        ["pandoc"],
        ["yamllint", "shellcheck"],
        ["perl", "vim", "emacs-nox"],
        ["systemd"],
      ];
      for (const wish of wishes) {
        const ours = resolveClosure(index, wish).map(({ name, version }) => `${name}=${version}`);
        expect(ours.toSorted(), wish.join(" ")).toEqual(await apt.simulateInstall(wish));
      }
    },
  );

  describe("a base", () => {
    let locked: Readonly<Partial<Record<Platform, readonly LockedPackage[]>>>;
    let ours: string;
    let judge: string;

    beforeAll(async () => {
      locked = await lockDebianBase(SUITE, WISHES, { ...debian, platforms: PLATFORMS });
      ours = join(work.path, "ours");
      judge = join(work.path, "judge");
      // Downloads first, so that the times below are those of a warm cache.
      for (const platform of PLATFORMS) await (await readBase(platform)).dispose();
      const options = { cacheDir: join(work.path, "python"), what: "modules" };
      const { entries, dispose } = await readBase("linux/amd64");
      const compiled = await addCompiledModules({ entries, packages: [] }, async () => [], options);
      await unpackOurs({ entries: compiled.entries, dispose }, ours);
      await mkdir(join(work.path, "debs"));
      for (const item of locked["linux/amd64"] ?? []) {
        const { name, sha256, size } = item;
        const { path } = await debian.fetchFile({ url: "http://cached.invalid/", name, sha256, size });
        await symlink(path, join(work.path, "debs", `${item.name}_${item.architecture}.deb`));
      }
      const script = join(ROOT, "test", "support", "dpkg-judge.sh");
      await outputOf("sh", [script, judge, join(work.path, "debs")]);
      await outputOf("chroot", [judge, "python3", "-B", "-c", WRITE_ALONE]);
    });

    const readBase = async (platform: Platform): Promise<MaterializedPackages> =>
      readDebianPackages(locked[platform] ?? [], platform, debian, { isBase: true });

    test("differs from what dpkg configures in reviewed places only", async () => {
      const [a, b] = [await describeTree(judge), await describeTree(ours)];
      const differing = [...new Set([...a.keys(), ...b.keys()])].filter(
        (path) => a.get(path) !== b.get(path),
      );
      const unexpected = differing.filter((path) => !REVIEWED.some(([pattern]) => pattern.test(path)));
      expect(unexpected.map((path) => `${path}: dpkg ${a.get(path)}, ours ${b.get(path)}`)).toEqual([]);
      const stale = REVIEWED.filter(([pattern]) => !differing.some((path) => pattern.test(path)));
      expect(stale.map(([pattern]) => pattern.source)).toEqual([]);
      console.log(`${a.size} paths compared, ${differing.length} reviewed differences`);
    });

    test("says of each package what dpkg says", async () => {
      expect(await readStatus(ours)).toEqual(await readStatus(judge));
    });

    test("satisfies dpkg and apt inside", async () => {
      expect(await inside("dpkg --audit && dpkg --verify && apt-get -qq check && dpkg --configure -a")).toBe(
        "",
      );
      expect(await inside("dpkg-query -W -f '${db:Status-Abbrev}\n' | sort | uniq -c | tr -s ' '")).toBe(
        ` ${locked["linux/amd64"]?.length} ii \n`,
      );
      const tree = await runInside("apt-get --simulate install tree");
      expect([tree.code, tree.stderr]).toEqual([100, "E: Unable to locate package tree\n"]);
      expect(await inside("update-alternatives --query pager | sed -n 's/^Value: //p'")).toBe(
        "/usr/bin/less\n",
      );
      expect(await inside("update-ca-certificates 2>&1 | grep added")).toBe("0 added, 0 removed; done.\n");
      expect(await inside("useradd extra && id -u extra && userdel extra")).toBe("1000\n");
    });

    test("answers with the programs that scripts and people call", async () => {
      const script =
        "whoami; echo 1 2 | awk '{ print $2 }'; vi --version | head -c 3; which -a ls | head -1; python3 -c 'print(3)'; jq -n 4; git --version | head -c 3; ssh -V 2>&1 | head -c 7";
      expect(await inside(script)).toBe("root\n2\nVIM/usr/bin/ls\n3\n4\ngitOpenSSH");
    });

    test.each(PLATFORMS)("is the same each time on %s, and quick", async (platform) => {
      const digests = new Set<string>();
      for (const round of [1, 2]) {
        const started = performance.now();
        const cpuStarted = process.cpuUsage();
        const base = await readBase(platform);
        const hash = createHash("sha256");
        let size = 0;
        const tar = writeTar(base.entries);
        for await (const chunk of compressGzip(tap(tar, (bytes) => hash.update(bytes))))
          size += chunk.byteLength;
        await base.dispose();
        digests.add(hash.digest("hex"));
        const seconds = (performance.now() - started) / 1000;
        const { user, system } = process.cpuUsage(cpuStarted);
        const cpu = (user + system) / 1e6;
        console.log(
          `${platform} round ${round}: ${locked[platform]?.length} packages, ${base.entries.length} entries, ` +
            `${(size / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of CPU, RSS ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
        );
        expect(cpu).toBeLessThan(BASE_BUDGET);
      }
      expect(digests.size).toBe(1);
    });

    const runInside = async (script: string): ReturnType<typeof runProgram> =>
      runProgram("unshare", [
        "--mount",
        "--",
        "sh",
        "-c",
        'mount --bind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C chroot "$0" sh -c "$1"',
        ours,
        script,
      ]);

    const inside = async (script: string): Promise<string> => {
      const { code, stdout, stderr } = await runInside(script);
      if (code !== 0) throw new Error(`${script}: exit ${code}: ${stderr}`);
      return stdout;
    };
  });
});

async function unpackOurs(
  { entries, dispose }: Pick<MaterializedPackages, "entries" | "dispose">,
  folder: string,
): Promise<void> {
  await mkdir(folder);
  await pipeline(writeTar(entries), createWriteStream(`${folder}.tar`));
  await dispose();
  await outputOf("tar", ["-xpf", `${folder}.tar`, "-C", folder, "--numeric-owner"]);
}

/** Type, mode, owner and content of everything below `root`, by path. */
async function describeTree(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const visit = async (folder: string): Promise<void> => {
    for (const name of await readdir(join(root, folder))) {
      const path = folder === "" ? name : `${folder}/${name}`;
      const status = await lstat(join(root, path));
      let content = "";
      if (status.isFile())
        content = createHash("sha256")
          .update(await readFile(join(root, path)))
          .digest("hex");
      if (status.isSymbolicLink()) content = await readlink(join(root, path));
      found.set(path, `${status.mode.toString(8)} ${status.uid}:${status.gid} ${content.slice(0, 60)}`);
      if (status.isDirectory()) await visit(path);
    }
  };
  await visit("");
  return found;
}

/** The stanzas by package, without the sums of configuration files: the recipe does not give dpkg any. */
async function readStatus(root: string): Promise<Record<string, Record<string, string>>> {
  const stanzas = parseControl(await readFile(join(root, "var/lib/dpkg/status"), "utf8"));
  return Object.fromEntries(
    stanzas.map(({ Conffiles, ...fields }) => [
      fields["Package"],
      { ...fields, Conffiles: (Conffiles ?? "").replaceAll(/ \S+$/gm, "") },
    ]),
  );
}

async function* tap(
  content: AsyncIterable<Uint8Array>,
  see: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    see(chunk);
    yield chunk;
  }
}

function oddVersion(): fc.Arbitrary<string> {
  const part = fc.array(
    fc.constantFrom("0", "1", "9", "10", "007", "a", "b", "Z", "~", "+", ".", "~~", "rc"),
    {
      maxLength: 6,
    },
  );
  const revision = fc.constantFrom("", "-0", "-1", "-1+b2", "-1+b10", "-0ubuntu~", "-1~bpo1");
  return fc
    .tuple(fc.constantFrom("", "0:", "1:"), part, revision)
    .map(([epoch, upstream, suffix]) => `${epoch}1${upstream.join("")}${suffix}`);
}
