// SPDX-License-Identifier: Apache-2.0
import { chown, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { type ContractCase, type ContractRun, summary } from "./contract-case.ts";

/** Who else calls commands: other programs. */
export const CALLER_CASES: readonly ContractCase[] = [
  {
    title: "runs side by side with itself under `xargs -P`",
    needs: ["xargs"],
    async run({ bench }) {
      const input = Buffer.from("1\n2\n3\n4\n5\n6\n");
      const through = ["xargs", "-P", "3", "-n", "1"];
      const { code, stdout, stderr } = summary(await bench.run(["printf", "%s\\n"], { input, through }));
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout.split("\n").toSorted()).toEqual(["", "1", "2", "3", "4", "5", "6"]);
    },
  },
  {
    title: "runs in a git hook, and its exit code stops the commit",
    needs: ["git"],
    async run(run) {
      const folder = await makeFolder(run, "repository");
      const hook = async (script: string): Promise<number> => {
        const line = await run.bench.commandLine(["sh", "-c", script]);
        await writeFile(join(folder, "hook"), `#!/bin/sh\nexec ${line.map(quote).join(" ")}\n`);
        const commit = [
          "git -c init.defaultBranch=main init --quiet . 2>&1",
          "mkdir -p .git/hooks && cp hook .git/hooks/pre-commit && chmod 755 .git/hooks/pre-commit",
          "git -c user.name=ada -c user.email=ada@localhost commit --quiet --allow-empty -m text 2>hook.log",
        ].join(" && ");
        return (await run.bench.run([], { through: ["sh", "-c", commit], cwd: folder })).code;
      };
      expect(
        await hook('[ "$(pwd)" = /work/repository ] && [ -d .git ] && [ -z "$GIT_DIR$GIT_INDEX_FILE" ]'),
      ).toBe(0);
      expect(await hook("exit 3")).toBe(1);
    },
  },
  {
    title: "runs from make, in parallel too, and its exit code stops make",
    needs: ["make"],
    async run(run) {
      const folder = await makeFolder(run, "make");
      const line = async (script: string): Promise<string> =>
        (await run.bench.commandLine(["sh", "-c", script])).map(quote).join(" ").replaceAll("$", "$$$$");
      const rules = [
        "all: one two",
        `one:\n\t@${await line('echo one >one; [ -z "$MAKEFLAGS$MAKELEVEL" ]')}`,
        `two:\n\t@${await line("echo two >two")}`,
        `bad:\n\t@${await line("exit 3")}`,
      ];
      await writeFile(join(folder, "Makefile"), `${rules.join("\n")}\n`);
      const make = async (...words: string[]): Promise<ReturnType<typeof summary>> =>
        summary(await run.bench.run([], { through: ["sh", "-c", `make ${words.join(" ")}`], cwd: folder }));
      expect(await make("-j2", "all")).toEqual({ code: 0, stdout: "", stderr: "" });
      expect(await make("bad")).toMatchObject({ code: 2, stderr: expect.stringContaining("Error 3") });
    },
  },
  {
    title: "runs as from cron: no terminal, no input, next to no environment",
    needs: ["setsid"],
    async run({ bench, textOf }) {
      const cron = 'umask 022; setsid --wait "$@" <&- >cron.out 2>cron.err; echo $?; cat cron.out cron.err';
      const said = await textOf(["sh", "-c", "tty; cat; pwd; exit 7"], { through: ["sh", "-c", cron, "sh"] });
      expect(Object.keys(bench.env)).not.toContain("TERM");
      expect(said).toBe("7\nnot a tty\n/work\n");
    },
  },
];

async function makeFolder({ bench, caller }: ContractRun, name: string): Promise<string> {
  const folder = join(bench.workspace, name);
  await mkdir(folder, { recursive: true });
  await chown(folder, caller.uid, caller.gid);
  return folder;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
