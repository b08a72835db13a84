// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findProcesses } from "../support/process-list.ts";
import { hasPrograms, makeFolder, outputOf, runProgram, type TemporaryFolder } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { type RunningRegistry, serveRegistry } from "../support/programs-toolbox.ts";
import { prepareReleaser, type Releaser } from "../support/released-image.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

const CPU = process.arch === "arm64" ? "arm64" : "amd64";

const GREET = `#!/bin/bash
case "$1" in
--version) echo "greet 1.0.0" ;;
refuse) echo "no such person" >&2; exit 3 ;;
network) while read -r name _; do [[ $name == *: ]] && all+=" $name"; done </proc/net/dev; echo "network:$all" ;;
*) read -r name <"$1"; echo "$GREETING $name in $PWD" ;;
esac
`;
const GOOD_TESTS = `
        - name: greets whom a file names
          command: [greet, people/first]
          files: { people/first: "ada\\n" }
          env: { GREETING: hello }
          contains: [hello ada, in /work]
        - name: refuses strangers
          command: [greet, refuse]
          exitCode: 3
          matches: ^no such \\w+$
        - name: has no network
          command: [greet, network]
          matches: "^network: lo:$"
`;
const BAD_TESTS = `
        - name: greets nobody
          command: [greet, refuse]
          contains: hello
`;
/** A number that no other command has. */
const HANGING_SECONDS = String(1_000_000 + process.pid);
const HANGING_TEST = `
        - name: never ends
          command: [sleep, "${HANGING_SECONDS}"]
`;

/** Holds every image, and cannot start a container. */
const UNABLE_ENGINE = `#!/bin/sh
case "$1" in
version) echo '{"Client":{"Version":"27.0.1","APIVersion":"1"},"Server":{"Version":"27.0.1"}}' ;;
load) cat >/dev/null ;;
run) echo "no cgroups here" >&2; exit 125 ;;
esac
`;

const ENGINES: readonly (readonly [string])[] = canStartDocker()
  ? [["embedded"], ["docker"]]
  : [["embedded"]];

let docker: RunningDocker | undefined;
let folder: TemporaryFolder;
let registry: RunningRegistry;
let releaser: Releaser;
let workspace: SmallWorkspace;
beforeAll(async () => {
  docker = canStartDocker() ? await startDocker() : undefined;
  folder = await makeFolder("image-tests");
  registry = await serveRegistry(join(folder.path, "registry"));
  releaser = await prepareReleaser(registry.host);
  workspace = await makeWorkspace();
  await workspace.write("greet", GREET);
  await workspace.write("shout", "#!/bin/bash\necho shout\n");
  await declare(GOOD_TESTS);
  expect(await workspace.toolbox(["build"])).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await workspace?.remove();
  await releaser?.remove();
  await registry?.stop();
  await folder?.remove();
  await docker?.stop();
});

async function declare(tests: string, budget = "1GB"): Promise<void> {
  await workspace.write(
    "toolbox.yaml",
    `registry: ${registry.host}/team
platforms: [linux/${CPU}]
base: { image: "${registry.host}/base/engine:1" }
tools:
  greet:
    version: "1.0.0"
    definition:
      summary: Greet people
      license: MIT
      binaries: [greet]
      version: { args: [--version], contains: "greet {{version}}" }
      examples: []
      sources: [{ source: file, path: ./greet }]
      tests:${tests}
  shout: { source: file, path: ./shout, version: "1.0.0" }
images:
  tools: { tools: [greet] }
  more: { extends: tools, tools: [shout], budget: ${budget} }
`,
  );
}

describe("toolbox test", () => {
  test.each(ENGINES)("runs version checks and tests by %s, and ends well", async (engine) => {
    const env = docker?.env ?? {};
    const words = ["test", "tools", "--engine", engine, "--json", "--require-all"];
    const { code, stdout, stderr } = await workspace.toolbox(words, { env });
    expect(code, `${stdout}${stderr}`).toBe(0);
    const report = JSON.parse(stdout) as { results: { name: string; state: string }[] };
    expect(report).toMatchObject({ passed: 4, failed: 0, notRun: 0 });
    expect(report.results.map(({ name, state }) => `${name}: ${state}`)).toEqual([
      "version: passed",
      "greets whom a file names: passed",
      "refuses strangers: passed",
      "has no network: passed",
    ]);
  });

  test("takes the next engine where one answers but can start nothing, unless that one is asked for", async () => {
    const path = join(folder.path, "broken");
    await mkdir(path);
    for (const name of ["docker", "podman", "nerdctl"])
      await writeFile(join(path, name), UNABLE_ENGINE, { mode: 0o755 });
    const env = { PATH: `${path}:${process.env["PATH"]}` };
    const first = await workspace.toolbox(["test", "tools", "--json"], { env });
    expect(first.code, first.stderr).toBe(0);
    expect(first.stderr).toContain("docker is there, but cannot start anything: no cgroups here");
    expect(JSON.parse(first.stdout)).toMatchObject({ passed: 4 });
    const second = await workspace.toolbox(["test", "tools", "--json"], { env });
    expect([second.code, second.stderr.includes("no cgroups")]).toEqual([0, false]);
    expect(await workspace.toolbox(["test", "tools", "--engine", "docker"], { env })).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/no cgroups here \[ENGINE_UNUSABLE\]\nhint: .*--engine embedded/),
    });
  });

  test("takes all images of the workspace, or one tool of them, and can show its plan", async () => {
    const { stdout } = await workspace.toolbox(["test", "--tool", "shout", "--dry-run"]);
    expect(stdout.trimEnd().split("\n").slice(1)).toEqual([
      `more   linux/${CPU}  shout  version  shout --version`,
    ]);
    expect(await workspace.toolbox(["test", "--tool", "shuot"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('Did you mean "shout"?'),
    });
  });

  test("tells what failed and why, for people and for other programs, and ends with 1", async () => {
    await declare(`${GOOD_TESTS}${BAD_TESTS}`);
    const words = ["test", "tools", "--engine", "embedded"];
    const table = await workspace.toolbox(words);
    expect(table.code).toBe(1);
    expect(table.stdout).toContain(`
failed: tools linux/${CPU} greet: greets nobody
  $ greet refuse
  it ended with 3 instead of 0
  it does not print "hello"
  | no such person
`);
    expect(table.stdout).toMatch(/\n4 passed, 1 failed, 0 not run\n$/);
    const tap = await workspace.toolbox([...words, "--format", "tap"]);
    expect(tap).toMatchObject({ code: 1, stdout: expect.stringMatching(/^TAP version 14\n1\.\.5\nok 1 - /) });
    expect(tap.stdout).toContain(`not ok 5 - tools linux/${CPU} greet: greets nobody`);
    const junit = await workspace.toolbox([...words, "--format", "junit"]);
    expect(junit.stdout).toContain('tests="5" failures="1" errors="0" skipped="0"');
    if (!hasPrograms("python3")) return;
    const file = join(folder.path, "report.xml");
    await writeFile(file, junit.stdout);
    const parse =
      "import sys, xml.dom.minidom as m; print(len(m.parse(sys.argv[1]).getElementsByTagName('testcase')))";
    expect(await outputOf("python3", ["-c", parse, file])).toBe("5\n");
  });

  test.each(ENGINES)("takes its commands along when it is interrupted, by %s", async (engine) => {
    await declare(HANGING_TEST);
    const { code } = await workspace.toolbox(["test", "tools", "--engine", engine], {
      env: docker?.env ?? {},
      onStart: (child) => void waitForCommand().then(() => child.kill("SIGINT")),
    });
    expect(code).toBe(130);
    expect(await isCommandRunning()).toBe(false);
    expect(await readdir(join(workspace.env["XDG_STATE_HOME"] ?? "", "toolbox", "tests"))).toEqual([]);
    if (docker === undefined) return;
    expect(await outputOf("docker", ["ps", "--quiet"], { env: docker.env })).toBe("");
  });

  test("does not take another test for another image: the lock stays as it is", async () => {
    await declare(BAD_TESTS);
    expect(await workspace.toolbox(["build", "--frozen"])).toMatchObject({ code: 0 });
  });

  test("asks an image of a registry for its tools, and does not pass those that it does not know", async () => {
    expect(await workspace.toolbox(["publish"])).toMatchObject({ code: 0 });
    const elsewhere = await makeWorkspace();
    try {
      const words = ["test", `${registry.host}/team/tools:latest`, "--engine", "embedded", "--json"];
      const { code, stdout, stderr } = await elsewhere.toolbox(words);
      expect(code, stderr).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        passed: 0,
        notRun: 1,
        results: [{ tool: "greet", state: "not-run", reason: expect.stringContaining("knows this tool") }],
      });
    } finally {
      await elsewhere.remove();
    }
  });
});

describe("a build", () => {
  test("tells what each layer weighs, and what a holder of the parent pulls", async () => {
    const { code, stdout, stderr } = await workspace.toolbox(["build", "--json"]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/more:\n +PLATFORM +LAYER +PULL +UNPACKED +STATE\n/);
    expect(stderr).toMatch(/\n {2}Whoever has tools pulls [\d.]+ kB for linux\//);
    const { images } = JSON.parse(stdout) as { images: MeasuredImage[] };
    const [platform] = images.find(({ name }) => name === "more")?.platforms ?? [];
    const sizes = platform?.layers.map(({ size }) => size) ?? [];
    expect(platform?.size).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(platform?.overParent).toEqual({
      image: "tools",
      size: platform?.layers
        .filter(({ name }) => name === "shout" || name === "top")
        .reduce((sum, { size }) => sum + size, 0),
    });
  });

  test("that passes the budget of an image fails at its place, and writes nothing", async () => {
    await declare(GOOD_TESTS, "10kB");
    const target = join(folder.path, "over-budget");
    const { code, stderr } = await workspace.toolbox(["build", "--output", `oci:${target}`]);
    expect(code).toBe(8);
    expect(stderr).toMatch(/toolbox\.yaml:31:51: .*image "more" .* may weigh 10\.00 kB/);
    expect(stderr).toMatch(/hint: +Its largest layers are base [\d.]+ MB, top [\d.]+ kB, /);
    expect((await runProgram("test", ["-e", target])).code).toBe(1);
  });
});

interface MeasuredImage {
  readonly name: string;
  readonly platforms: readonly {
    readonly size: number;
    readonly overParent?: unknown;
    readonly layers: readonly { readonly name: string; readonly size: number }[];
  }[];
}

async function isCommandRunning(): Promise<boolean> {
  return (await findProcesses(`sleep\0${HANGING_SECONDS}\0`)).length > 0;
}

async function waitForCommand(): Promise<void> {
  const end = Date.now() + 300_000;
  while (!(await isCommandRunning())) {
    if (Date.now() > end) throw new Error("the command does not start");
    await wait(50);
  }
}
