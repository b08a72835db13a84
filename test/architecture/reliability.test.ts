// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSource, ROOT } from "./source-tree.ts";

interface Row {
  readonly id: string;
  readonly tests: readonly { readonly file: string; readonly title: string }[];
}

const PAGE = readSource("docs/reliability.md");
const ROWS = readRows(PAGE);

describe("docs/reliability.md", () => {
  test("names each fault by an id of its own, in order", () => {
    expect(ROWS.length).toBeGreaterThan(50);
    const numbers = new Map<string, number>();
    for (const { id } of ROWS) {
      const [, letter = "", number = ""] = /^([A-Z])(\d+)$/.exec(id) ?? [];
      expect([id, Number(number)]).toEqual([id, (numbers.get(letter) ?? 0) + 1]);
      numbers.set(letter, Number(number));
    }
  });

  test.each(ROWS.map(({ id, tests }) => [id, tests] as const))(
    "%s is proven by tests that exist",
    (_, tests) => {
      expect(tests).not.toEqual([]);
      const lost = tests.filter(({ file, title }) => !hasTest(file, title));
      expect(lost).toEqual([]);
    },
  );

  test("has no table row that this test cannot read", () => {
    const faults = PAGE.split("\n").filter((line) => /^\| [A-Z]\d+ /.test(line));
    expect(faults).toHaveLength(ROWS.length);
    for (const line of faults) expect(line.split(" | ")).toHaveLength(4);
    expect([...PAGE.matchAll(/`(?:src|test)\/[^`]+\.ts`: /g)]).toHaveLength(
      ROWS.flatMap(({ tests }) => tests).length,
    );
  });

  test("(a title that is not there is seen)", () => {
    expect(
      hasTest("test/architecture/reliability.test.ts", "has no table row that this test cannot read"),
    ).toBe(true);
    expect(hasTest("test/architecture/reliability.test.ts", ["no", "such", "test"].join(" "))).toBe(false);
    expect(hasTest("test/architecture/none.test.ts", "has no table row that this test cannot read")).toBe(
      false,
    );
  });
});

/** `| A1 | fault | what we do | `FILE`: *TITLE*<br>... |` */
function readRows(page: string): Row[] {
  return [...page.matchAll(/^\| ([A-Z]\d+) +\|(.*)\|$/gm)].map(([, id = "", rest = ""]) => ({
    id,
    tests: [...rest.matchAll(/`((?:src|test)\/[^`]+\.ts)`: \*([^*]+)\*/g)].map(
      ([, file = "", title = ""]) => ({ file, title }),
    ),
  }));
}

/** Whether a file has a test of that title, as in `test("TITLE"`, `test.each(...)("TITLE"` and `title: "TITLE"`. */
function hasTest(file: string, title: string): boolean {
  if (!existsSync(join(ROOT, file))) return false;
  const text = readSource(file);
  const quoted = [`"${title}"`, `'${title}'`, `\`${title}\``];
  return quoted.some(
    (each) =>
      text.includes(`(${each}`) ||
      text.includes(`title: ${each}`) ||
      new RegExp(`\\(\\n\\s*${escape(each)},`).test(text),
  );
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
