// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  makeFolder,
  outputOf,
  type ProgramResult,
  runProgram,
  type TemporaryFolder,
} from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { type PublishedImage, publishQuickstart } from "../support/published-image.ts";

const USERS: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["the default user", [], /^toolbox$/],
  ["uid 4242", ["--user", "4242:4242"], /^uid-4242$/],
  ["root", ["--user", "0:0"], /^root$/],
];

describe.runIf(canStartDocker())("inside of the image,", () => {
  let image: PublishedImage;
  let docker: RunningDocker;
  let work: TemporaryFolder;

  beforeAll(async () => {
    work = await makeFolder("work");
    await chmod(work.path, 0o777);
    await outputOf("git", ["init", "--quiet", work.path]);
    await writeFile(join(work.path, "new-file"), "one two\n");
    await makeRepository(join(work.path, "repository"));
    image = await publishQuickstart();
    docker = await startDocker();
    await outputOf("docker", ["pull", "--quiet", referenceOf(image)], { env: docker.env });
  });
  afterAll(async () => {
    await docker?.stop();
    await image?.remove();
    await work?.remove();
  });

  const run = async (flags: readonly string[], argv: readonly string[]): Promise<ProgramResult> =>
    runProgram(
      "docker",
      [
        "run",
        "--rm",
        "--network",
        "none",
        "-v",
        `${work.path}:/work`,
        "-w",
        "/work",
        ...flags,
        referenceOf(image),
        ...argv,
      ],
      { env: docker.env },
    );

  describe.each(USERS)("as %s,", (_, flags, name) => {
    test("whoami knows the name", async () => {
      const { code, stdout } = await run(flags, ["whoami"]);
      expect(code).toBe(0);
      expect(stdout.trim()).toMatch(name);
    });

    test.each([
      ["git status in /work", ["git", "status", "--short"], /\?\? new-file/],
      ["awk", ["awk", "{ print $2 }", "new-file"], /^two$/m],
      [
        "dpkg -l",
        ["dpkg", "-l", "bash", "libc6", "kubernetes-client"],
        /^ii +bash .*\n[^]*^ii +kubernetes-client /m,
      ],
      ["dpkg --audit", ["sh", "-c", "dpkg --audit && echo clean"], /^clean$/],
      ["a writable home", ["sh", "-c", 'touch "$HOME/x" && echo "$HOME"'], /^\//],
      ["helm, which keeps files at home", ["helm", "env", "HELM_CACHE_HOME"], /^\/.+helm/],
      ["bash finds completions and stays quiet", ["bash", "-c", "echo ok"], /^ok$/],
    ])("%s works", async (_what, argv, answer) => {
      const { code, stdout, stderr } = await run(flags, argv);
      expect(stdout.trim()).toMatch(answer);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    });

    test("ssh -V works, and ssh does not fall over the user's name", async () => {
      expect((await run(flags, ["ssh", "-V"])).stderr).toMatch(/^OpenSSH_/);
      const { stderr } = await run(flags, ["ssh", "-o", "BatchMode=yes", "-p", "1", "127.0.0.1", "true"]);
      expect(stderr).toContain("Connection refused");
    });

    test("vi edits a file", async () => {
      const { code } = await run(flags, [
        "sh",
        "-c",
        "cp new-file /tmp/f && vi -e -s -c '%s/two/three/' -c wq /tmp/f && grep three /tmp/f",
      ]);
      expect(code).toBe(0);
    });

    test("apt-get accepts the packages that are there and would install one on top", async () => {
      const { code, stdout, stderr } = await run(flags, ["sh", "-c", APT_SIMULATE]);
      expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^Inst tree \(1\.0 /m);
    });
  });
});

function referenceOf(image: PublishedImage): string {
  return `${image.repository}@${image.manifestOf(process.arch === "arm64" ? "linux/arm64" : "linux/amd64")}`;
}

/** apt with lists of its own, so that no network is needed: a folder at /work/repository is the only mirror. */
const APT_SIMULATE = `
set -e
mkdir -p /tmp/apt/lists/partial /tmp/apt/cache/archives/partial
echo 'deb [trusted=yes] copy:/work/repository ./' >/tmp/apt/sources.list
apt="apt-get -o Dir::Etc::sourcelist=/tmp/apt/sources.list -o Dir::Etc::sourceparts=/dev/null
  -o Dir::State::lists=/tmp/apt/lists -o Dir::Cache=/tmp/apt/cache -o APT::Sandbox::User= -o Debug::NoLocking=1"
$apt update >/dev/null
$apt check >/dev/null
$apt --simulate install tree
`;

async function makeRepository(folder: string): Promise<void> {
  await mkdir(folder);
  const packages = [
    "Package: tree",
    "Version: 1.0",
    "Architecture: all",
    "Maintainer: nobody <nobody@localhost>",
  ];
  await writeFile(
    join(folder, "Packages"),
    [
      ...packages,
      "Depends: libc6, bash (>= 5)",
      "Filename: ./tree.deb",
      "Size: 1",
      `SHA256: ${"0".repeat(64)}`,
      "Description: a tree",
      "",
    ].join("\n"),
  );
}
