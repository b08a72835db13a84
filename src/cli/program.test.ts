// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { COMMANDS } from "./command-table.ts";
import { runProgram } from "./program.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-cli-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("help", () => {
  test("of the program names every verb and gives examples", async () => {
    const { stdout, exitCode } = await toolbox("--help");
    expect(exitCode).toBe(0);
    for (const name of Object.keys(COMMANDS)) expect(stdout).toContain(`  ${name} `);
    expect(stdout).toContain("Examples:");
  });

  test.each(Object.keys(COMMANDS))("of %s has a usage line, its options and an example", async (name) => {
    const { stdout, exitCode } = await toolbox(...name.split(" "), "--help");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: toolbox ${name} \\[OPTION\\.\\.\\.\\]`));
    expect(stdout).toMatch(/Examples:\n {2}\S.*# \S/);
    expect(stdout).toContain("--json");
  });

  test("without any word goes to stderr as an error of usage", async () => {
    expect(await toolbox()).toMatchObject({
      exitCode: 2,
      stdout: "",
      stderr: expect.stringContaining("Usage:"),
    });
  });

  test("a group without a command shows its commands", async () => {
    expect(await toolbox("registry")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("serve"),
    });
    expect(await toolbox("registry", "serv")).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Did you mean "serve"?'),
    });
  });
});

describe("words that are no verbs", () => {
  test("are mistakes where there is no image to run them in", async () => {
    const { exitCode, stderr } = await toolbox("biuld");
    expect(exitCode).toBe(3);
    expect(stderr).toContain('"biuld" is not a command of toolbox');
    expect(stderr).toContain("[COMMAND_NOT_FOUND]");
  });

  test("are commands for the image where there is a lock, even when they look like a verb", async () => {
    await writeFile(join(folder, "toolbox.lock"), '{"lockVersion":1}');
    for (const argv of [
      ["biuld", "--json"],
      ["--", "build", "--help"],
    ]) {
      const { stderr, stdout } = await toolbox(...argv);
      expect(stderr).toContain("names no image to run in");
      expect(stdout).toBe("");
    }
  });
});

describe("errors", () => {
  test("under --json are one document on stdout", async () => {
    await writeFile(join(folder, "toolbox.yaml"), "images:\n  a: { tools: [jqq] }\n");
    const { stdout, exitCode } = await toolbox("add", "jq", "--json");
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: "TOOL_UNKNOWN",
        message: expect.stringContaining('"jqq"'),
        hint: 'Did you mean "jq"?',
        position: { file: join(folder, "toolbox.yaml"), line: 2, column: 16 },
      },
    });
  });

  test.each([
    [["lock", "--frozne"], 'Did you mean "--frozen"?'],
    [["lock", "extra"], '"extra" is one too many'],
    [["add"], "an argument is missing"],
    [["run"], "a command to run is missing"],
    [["completion", "tcsh"], "bash, zsh, fish"],
    [["build", "--platform", "s390x"], 'platform "s390x"'],
    [["-C"], "needs a value"],
  ])("%j is an error of usage with exit code 2", async (argv, text) => {
    await writeFile(join(folder, "toolbox.yaml"), "");
    const { exitCode, stderr } = await toolbox(...argv);
    expect(stderr).toContain(text);
    expect(stderr).toContain("[COMMAND_USAGE]");
    expect(exitCode).toBe(2);
  });

  test("a verb that needs a workspace says how to make one", async () => {
    const { exitCode, stderr } = await toolbox("lock");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("toolbox init");
  });
});

describe("init and add", () => {
  test("init writes a file that add can edit, and leaves an existing one alone", async () => {
    await writeFile(join(folder, "deploy.sh"), "");
    expect((await toolbox("init", "--image", "tools")).exitCode).toBe(0);
    const text = await readFile(join(folder, "toolbox.yaml"), "utf8");
    expect(text).toContain("$schema=");
    expect(text).toContain("shellcheck");
    expect((await toolbox("init")).stderr).toContain("stays as it is");
    expect((await toolbox("add", "helm@^3.19")).exitCode).toBe(0);
    const edited = await readFile(join(folder, "toolbox.yaml"), "utf8");
    expect(edited).toContain('helm: "^3.19"');
    expect(edited.split("\n").filter((line) => line.startsWith("#"))).toEqual(
      text.split("\n").filter((line) => line.startsWith("#")),
    );
  });

  test("add refuses what nobody knows, and writes nothing", async () => {
    await writeFile(join(folder, "toolbox.yaml"), "# mine\n");
    const { exitCode, stderr } = await toolbox("add", "kubeclt");
    expect(exitCode).toBe(3);
    expect(stderr).toContain('Did you mean "kubectl"?');
    expect(await readFile(join(folder, "toolbox.yaml"), "utf8")).toBe("# mine\n");
  });
});

describe("frozen", () => {
  test("lock refuses to make a lock under CI=true, and --check says that it is stale", async () => {
    await writeFile(join(folder, "toolbox.yaml"), "images: { a: { tools: [jq] } }\n");
    expect(await toolboxWith({ CI: "true" }, "lock")).toMatchObject({
      exitCode: 9,
      stderr: expect.stringContaining("[LOCK_FROZEN]"),
    });
    expect(await toolbox("lock", "--check")).toMatchObject({
      exitCode: 9,
      stderr: expect.stringContaining("[LOCK_STALE]"),
    });
  });
});

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function toolbox(...argv: readonly string[]): Promise<Outcome> {
  return toolboxWith({}, ...argv);
}

async function toolboxWith(env: Record<string, string>, ...argv: readonly string[]): Promise<Outcome> {
  const texts = { stdout: "", stderr: "" };
  const output = (
    name: "stdout" | "stderr",
  ): { write: (text: string) => void; flush: () => Promise<void> } => ({
    write: (text) => void (texts[name] += text),
    flush: async () => {},
  });
  const exitCode = await runProgram(argv, {
    cwd: folder,
    env: { ...env, XDG_DATA_HOME: join(folder, "data") },
    home: folder,
    stdout: output("stdout"),
    stderr: output("stderr"),
    terminal: { stdin: false, stdout: false, stderr: false },
    columns: () => 80,
    interruptions: { signal: new AbortController().signal, release: () => {} },
  });
  return { exitCode, ...texts };
}
