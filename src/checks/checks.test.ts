// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import {
  type Answer,
  type CheckResult,
  countResults,
  formatJunit,
  formatTap,
  isGreen,
  judgeAnswer,
  planChecks,
} from "./index.ts";

const DEFINITION = {
  binaries: ["lint", "lint-fix"],
  version: { args: ["--version"], contains: "lint {{version}}" },
  tests: [
    {
      name: "finds a mistake",
      command: ["lint", "bad.txt"],
      exitCode: 1,
      contains: ["bad.txt:1", "by lint {{version}}"],
      matches: "^1 finding$",
      files: { "bad.txt": "x\n" },
      env: { LEVEL: "2" },
    },
  ],
};
const [VERSION, SMOKE] = planChecks([{ name: "lint", version: "1.2.0", definition: DEFINITION }]).checks;
if (VERSION === undefined || SMOKE === undefined) throw new Error("nothing is planned");

describe("planChecks", () => {
  test("asks the main program for its version, then runs the tests, with every default filled in", () => {
    expect([VERSION, SMOKE]).toEqual([
      {
        tool: "lint",
        name: "version",
        command: ["lint", "--version"],
        exitCode: 0,
        contains: ["lint 1.2.0"],
        matches: [],
        files: {},
        env: {},
        network: "none",
      },
      {
        tool: "lint",
        name: "finds a mistake",
        command: ["lint", "bad.txt"],
        exitCode: 1,
        contains: ["bad.txt:1", "by lint 1.2.0"],
        matches: ["^1 finding$"],
        files: { "bad.txt": "x\n" },
        env: { LEVEL: "2" },
        network: "none",
      },
    ]);
  });

  test("names the tools of which nothing is known", () => {
    const tools = [
      { name: "strange", version: "1" },
      { name: "lint", version: "1", definition: DEFINITION },
    ];
    expect(planChecks(tools).unknown).toEqual(["strange"]);
  });
});

describe("judgeAnswer", () => {
  const right: Answer = { exitCode: 1, stdout: "bad.txt:1 x\n1 finding", stderr: "by lint 1.2.0\n" };

  test("looks at both streams", () => {
    expect(judgeAnswer(SMOKE, right)).toEqual({ state: "passed" });
  });

  test.each([
    ["the exit code", { exitCode: 0 }, ["it ended with 0 instead of 1"]],
    ["a text", { stderr: "by lint 1.2\n" }, ['it does not print "by lint 1.2.0"']],
    ["a pattern", { stdout: "bad.txt:1 x\n11 findings" }, ["it prints nothing that matches /^1 finding$/"]],
    [
      "everything",
      { exitCode: 2, stdout: "", stderr: "" },
      ["2 instead of 1", "bad.txt:1", "by lint", "/^1"],
    ],
    ["the start", { exitCode: 125, failure: "no such thing" }, ["it did not start: no such thing"]],
    ["the end", { exitCode: 143, endedAfter: 600 }, ["it did not end within 600 s"]],
  ])("tells that %s is wrong", (_, change, reasons) => {
    const outcome = judgeAnswer(SMOKE, { ...right, ...change });
    const found = outcome.state === "failed" ? outcome.reasons : [];
    expect(found).toEqual(reasons.map((reason) => expect.stringContaining(reason)));
  });

  test("keeps the end of what was printed, on lines that cannot move the cursor", () => {
    const stdout = Array.from({ length: 30 }, (_, index) => `line ${index}\u001B[2J\r`).join("\n");
    const outcome = judgeAnswer(VERSION, { exitCode: 0, stdout, stderr: "" });
    const output = outcome.state === "failed" ? outcome.output : [];
    expect([output.length, output[0], output.at(-1)]).toEqual([20, "line 10 [2J", "line 29 [2J"]);
  });
});

const RESULTS: readonly CheckResult[] = [
  { ...place("linux/amd64", "version"), outcome: { state: "passed" }, milliseconds: 41.6 },
  {
    ...place("linux/amd64", 'says <&> # "twice"'),
    outcome: {
      state: "failed",
      reasons: ["it ended with 1 instead of 0", 'it does not print "]]>"'],
      output: ["first", "  second <tag>"],
    },
    milliseconds: 1234,
  },
  {
    ...place("linux/arm64", "version"),
    outcome: { state: "not-run", reason: "no emulator #1 is here" },
    milliseconds: 0,
  },
];

function place(
  platform: CheckResult["platform"],
  name: string,
): Omit<CheckResult, "outcome" | "milliseconds"> {
  return { image: "team-tools", platform, tool: "lint", name, command: ["lint", "-x"] };
}

test("TAP 14 has a point for each check, a reason for each failure, and says what was not run", () => {
  expect(formatTap(RESULTS)).toBe(`TAP version 14
1..3
ok 1 - team-tools linux/amd64 lint: version
  ---
  duration_ms: 42
  ...
not ok 2 - team-tools linux/amd64 lint: says <&> \\# "twice"
  ---
  message: "it ended with 1 instead of 0; it does not print \\"]]>\\""
  command: ["lint","-x"]
  output: "first\\n  second <tag>"
  duration_ms: 1234
  ...
ok 3 - team-tools linux/arm64 lint: version # SKIP no emulator \\#1 is here
`);
});

test("JUnit XML has a suite for each image and platform", () => {
  expect(formatJunit(RESULTS)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="toolbox test" tests="3" failures="1" errors="0" skipped="1" time="1.276">
  <testsuite name="team-tools linux/amd64" tests="2" failures="1" errors="0" skipped="0" time="1.276">
    <testcase classname="team-tools linux/amd64 lint" name="version" time="0.042"/>
    <testcase classname="team-tools linux/amd64 lint" name="says &lt;&amp;&gt; # &quot;twice&quot;" time="1.234">
      <failure message="it ended with 1 instead of 0; it does not print &quot;]]&gt;&quot;">$ lint -x
first
  second &lt;tag&gt;</failure>
    </testcase>
  </testsuite>
  <testsuite name="team-tools linux/arm64" tests="1" failures="0" errors="0" skipped="1" time="0.000">
    <testcase classname="team-tools linux/arm64 lint" name="version" time="0.000">
      <skipped message="no emulator #1 is here"/>
    </testcase>
  </testsuite>
</testsuites>
`);
});

test.each([
  ["nothing failed", [0, 0], { requireAll: true }, true],
  ["something failed", [0, 1], { requireAll: false }, false],
  ["something could not run", [0, 2], { requireAll: false }, true],
  ["something could not run, but all had to", [0, 2], { requireAll: true }, false],
  ["nothing could run", [2, 2], { requireAll: false }, false],
  ["there was nothing to run", [], { requireAll: false }, false],
] as const)("when %s, green is told apart from red", (_, indexes, options, green) => {
  const results = indexes.map((index) => RESULTS[index]).filter((result) => result !== undefined);
  expect(isGreen(results, options)).toBe(green);
});

test("results are counted by kind", () => {
  expect(countResults(RESULTS)).toEqual({ passed: 1, failed: 1, notRun: 1 });
});
