// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ImageTool } from "./image-tool.ts";
import { completedCommand, formatCompletionStub, formatToolboxBashrc, mergeBashrc } from "./shell-start.ts";

const run = promisify(execFile);
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-shell-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("/etc/bash.bashrc", () => {
  test("keeps what the base has and gains one guarded line", () => {
    const base = "# System-wide\nPS1='$ '";
    const merged = mergeBashrc(base);
    expect(merged.startsWith(`${base}\n`)).toBe(true);
    expect(merged.slice(base.length + 1)).toBe("[ ! -r /etc/toolbox/bashrc ] || . /etc/toolbox/bashrc\n");
    expect(mergeBashrc(merged)).toBe(merged);
  });
});

describe("/etc/toolbox/bashrc", () => {
  test("says nothing in a shell that nobody sits at", async () => {
    const { stdout, stderr } = await run("bash", ["--norc", "-c", `. ${await writeBashrc()}; echo done`]);
    expect([stdout, stderr]).toEqual(["done\n", ""]);
  });

  test("says nothing where output is not a terminal", async () => {
    const { stdout } = await run("bash", ["--norc", "-i", "-c", `. ${await writeBashrc()}; echo done`]);
    expect(stdout).toBe("done\n");
  });

  test("loads a completion at the first tab, by the tool's own script", async () => {
    const stub = join(folder, "stub");
    await writeFile(stub, formatCompletionStub(["printf", "%s\n", `complete -W "it's" helm`]));
    const { stdout } = await run("bash", ["--norc", "-c", `. ${stub}; complete -p helm`]);
    expect(stdout).toBe("complete -W 'it'\\''s' helm\n");
  });

  test("hands the words that completions of cobra ask for, colons and equals signs kept in one word", async () => {
    const script = `
      shopt -q login_shell; . ${await writeBashrc()}
      COMP_WORDS=(helm --set=a:b x) COMP_CWORD=1
      _get_comp_words_by_ref -n =: cur prev words cword
      echo "$cur $prev \${#words[@]} $cword"
      case $COMP_WORDBREAKS in *[:=]*) echo broken ;; esac
      complete -p -D`;
    const { stdout } = await run("bash", ["--norc", "-i", "-c", script]);
    expect(stdout).toBe("--set=a:b helm 3 1\ncomplete -o bashdefault -o default -F _toolbox_complete -D\n");
  });
});

describe("completions", () => {
  test.each([
    [["helm", "completion", "bash"], "helm"],
    [["/usr/bin/helm"], undefined],
    [["../helm"], undefined],
    [[], undefined],
  ])("of %j are for %s", (bashCompletion, command) => {
    expect(completedCommand({ ...TOOL, bashCompletion })).toBe(command);
  });
});

const TOOL: ImageTool = {
  name: "helm",
  version: "3.19.4",
  summary: "Package manager",
  homepage: "https://helm.sh",
  license: "Apache-2.0",
  binaries: ["helm"],
  examples: [],
};

async function writeBashrc(): Promise<string> {
  const path = join(folder, "bashrc");
  const text = formatToolboxBashrc("tooling-k8s", [TOOL]);
  // Whether this machine has the bash-completion package must not decide what is tested.
  await writeFile(path, text.replaceAll("/usr/share/bash-completion/bash_completion", "/nowhere"));
  return path;
}
