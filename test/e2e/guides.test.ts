// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { chmod, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GuideBlock, outputsOf, readGuide, scriptOf } from "../support/guide.ts";
import { makeFolder, outputOf, ROOT, runProgram, type TemporaryFolder } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { type RunningRegistry, serveRegistry } from "../support/programs-toolbox.ts";

/** The one command of the guides: it needs both tools of the image. */
const CHECK = "#!/bin/sh\nset -e\nshellcheck check.sh\njq -er .verdict verdict.json\n";

let folder: TemporaryFolder;
let registry: RunningRegistry;
let docker: RunningDocker | undefined;
let env: Readonly<Record<string, string | undefined>>;
let digest = "";
beforeAll(async () => {
  folder = await makeFolder("guides");
  registry = await serveRegistry(join(folder.path, "registry"));
  docker = canStartDocker() ? await startDocker() : undefined;
  const bin = join(folder.path, "bin");
  await mkdir(bin);
  const main = join(ROOT, "dist/cli/main.js");
  await writeFile(join(bin, "toolbox"), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(join(bin, "toolbox"), 0o755);
  const cache =
    process.env["TOOLBOX_CACHE"] ??
    join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "toolbox");
  env = {
    ...docker?.env,
    ...withoutFolders(),
    PATH: `${bin}:${process.env["PATH"]}`,
    TOOLBOX_ENGINE: docker === undefined ? "embedded" : "docker",
    // Downloads are shared with everybody; all else is new.
    TOOLBOX_CACHE: cache,
  };
});
afterAll(async () => {
  await docker?.stop();
  await registry?.stop();
  await folder?.remove();
});

describe("a guide keeps what it says:", () => {
  test("laptop", async () => {
    const work = await newHome("laptop");
    await carryOut("laptop.md", work);
    const lock = await readFile(join(work, "toolbox.lock"), "utf8");
    expect(lock).not.toContain(homedir());
    const image = `${registry.host}/team/team-tools:1.0.0`;
    const inspected = await outputOf("toolbox", ["image", "inspect", image, "--json"], { env });
    digest = /"digest": "(sha256:[0-9a-f]{64})"/.exec(inspected)?.[1] ?? "";
    expect(digest).not.toBe("");
  });

  test("first day", async () => {
    await carryOut("first-day.md", await cloneRepository("first-day"));
  });

  test("CI, with the digest of the laptop", async () => {
    const work = await cloneRepository("ci");
    await carryOut("ci.md", work);
    const jobs = readGuide("ci.md", fill).filter(({ language }) => language === "yaml");
    const [github, gitlab] = jobs.map(({ text }) => parse(text) as CiFile);
    const { container, steps } = github?.jobs?.["check"] ?? {
      container: { image: "", options: "" },
      steps: [],
    };
    const { image, script } = gitlab?.["check"] ?? { image: "", script: [] };
    expect([container.image, image]).toEqual(Array(2).fill(`${registry.host}/team/team-tools@${digest}`));
    const lines = steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
    expect([lines, script]).toEqual([["./check.sh"], ["./check.sh"]]);
    if (docker === undefined) return;
    // As their runners do: a shell of the image's own, the first in a folder of the runner's.
    const inside = ["run", "--rm", "--volume", `${work}:/__w/shop`, "--workdir", "/__w/shop"];
    for (const argv of [
      [
        ...inside,
        ...container.options.split(" "),
        "--entrypoint",
        "sh",
        container.image,
        "-ec",
        lines.join("\n"),
      ],
      [...inside, image, "sh", "-c", `set -eo pipefail\n${script.join("\n")}`],
    ])
      expect(await outputOf("docker", argv, { env: docker.env })).toContain("all is well");
  });
});

test("the README leads to every guide", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  for (const name of ["laptop", "first-day", "ci"]) expect(readme).toContain(`docs/guides/${name}.md`);
});

interface CiFile {
  readonly jobs?: Readonly<
    Record<
      string,
      {
        readonly container: { readonly image: string; readonly options: string };
        readonly steps: readonly { readonly run?: string }[];
      }
    >
  >;
  readonly check?: { readonly image: string; readonly script: readonly string[] };
}

function isPossible({ language, needsDocker }: GuideBlock): boolean {
  return language === "sh" && (docker !== undefined || !needsDocker);
}

/** Runs a guide's commands from top to bottom in one shell, and looks for what it says that they print. */
async function carryOut(name: string, cwd: string): Promise<void> {
  const blocks = readGuide(name, fill).filter(isPossible);
  expect(blocks.length).toBeGreaterThan(2);
  const { code, stdout, stderr } = await runProgram("bash", ["-c", scriptOf(blocks)], {
    cwd,
    env: { ...env, HOME: join(cwd, "..") },
    timeout: 900_000,
  });
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  for (const [index, output] of outputsOf(stdout, blocks).entries())
    for (const line of blocks[index]?.output?.trim().split("\n") ?? []) expect(output).toContain(line);
}

/** The address and the digest that stand for those of the reader. */
function fill(text: string): string {
  return text.replaceAll("127.0.0.1:5000/", `${registry.host}/`).replaceAll("sha256:DIGEST", digest);
}

/** A folder in a home where nobody has been before. */
async function newHome(name: string): Promise<string> {
  const work = join(folder.path, name, "shop");
  await mkdir(work, { recursive: true });
  return work;
}

/** A repository as a colleague clones it. */
async function cloneRepository(name: string): Promise<string> {
  const work = await newHome(name);
  await writeFile(join(work, "check.sh"), CHECK, { mode: 0o755 });
  await writeFile(join(work, "verdict.json"), '{ "verdict": "all is well" }\n');
  const team = await newHome("team");
  await writeFile(join(team, "toolbox.yaml"), `use: ${registry.host}/team/team-tools:1.0.0\n`);
  await outputOf("toolbox", ["lock"], { cwd: team, env: { ...env, HOME: join(team, "..") } });
  for (const file of ["toolbox.yaml", "toolbox.lock"]) await copyFile(join(team, file), join(work, file));
  return work;
}

/** Nothing of the tester's own may help or disturb. */
function withoutFolders(): Record<string, undefined> {
  const names = ["CI", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "TOOLBOX_STORE"];
  const folders = ["CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "RUNTIME_DIR", "STATE_HOME"];
  return Object.fromEntries(
    [...names, ...folders.map((name) => `XDG_${name}`)].map((name) => [name, undefined]),
  );
}
