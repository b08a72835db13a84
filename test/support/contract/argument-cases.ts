// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { type ContractCase, summary } from "./contract-case.ts";

const ODD_WORDS = [
  "a b",
  "",
  "'",
  '"',
  "$(id)",
  "`id`",
  "; true",
  "*",
  "-x",
  "--",
  "line\nbreak",
  "\ttab",
  "ü→💡",
  "\\",
  "!",
  "a=b",
  "%s",
];

/** Arguments, streams and exit codes. */
export const ARGUMENT_CASES: readonly ContractCase[] = [
  {
    title: "gets every argument as it is: empty, spaces, quotes, line breaks, `$()`, leading dashes",
    async run({ textOf }) {
      const said = await textOf(["printf", "%s\\0", ...ODD_WORDS, "long".repeat(25_000)]);
      expect(said.split("\0").slice(0, -1)).toEqual([...ODD_WORDS, "long".repeat(25_000)]);
    },
  },
  {
    title: "is refused, with the reason, when an argument is not UTF-8",
    async run({ bench }) {
      const through = ["bash", "-c", String.raw`exec "$@" $'\xff'`, "bash"];
      const { code, stdout, stderr } = summary(await bench.run(["printf", "%s"], { through }));
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("SESSION_INVALID");
      expect(stderr).toContain("is not UTF-8");
    },
  },
  {
    title: "reads stdin and writes stdout, every byte",
    async run({ bench }) {
      const bytes = randomBytes(300_000);
      const { code, stdout } = await bench.run(["cat"], { input: bytes });
      expect(code).toBe(0);
      expect(stdout.equals(bytes)).toBe(true);
    },
  },
  {
    title: "has its stderr apart from its stdout",
    async run({ bench }) {
      const result = summary(await bench.run(["sh", "-c", "echo out; echo err >&2"]));
      expect(result).toEqual({ code: 0, stdout: "out\n", stderr: "err\n" });
    },
  },
  {
    title: "gives its own exit code on, 125, 126 and 127 included",
    async run({ bench }) {
      for (const code of [1, 3, 125, 126, 127, 255]) {
        expect((await bench.run(["sh", "-c", `exit ${code}`])).code).toBe(code);
      }
    },
  },
  {
    title: "ends with 127 when it is not there, and with 126 when it cannot be executed",
    async run({ bench }) {
      const missing = await bench.run(["no-such-command"]);
      expect(missing.code).toBe(127);
      expect(missing.stderr).toContain("no-such-command");
      await writeFile(join(bench.workspace, "plain.txt"), "text", { mode: 0o644 });
      expect((await bench.run(["/work/plain.txt"])).code).toBe(126);
    },
  },
  {
    title: "ends with 128+n when signal n ended it",
    async run({ bench }) {
      expect((await bench.run(["sh", "-c", "kill -9 $$"])).code).toBe(137);
    },
  },
];
