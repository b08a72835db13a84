// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { ToolingError } from "../core/error.ts";
import { describeFailure, Interruption } from "./failure.ts";

const position = { file: "toolbox.yaml", line: 3, column: 5 };

describe("describeFailure", () => {
  test("a foreseen error is one line with its place and code, and one with advice", () => {
    const error = new ToolingError("TOOL_UNKNOWN", 'tool "x" is unknown', { hint: "Look again.", position });
    expect(describeFailure(error)).toEqual({
      lines: ['error: toolbox.yaml:3:5: tool "x" is unknown [TOOL_UNKNOWN]', "hint:  Look again."],
      json: {
        error: { code: "TOOL_UNKNOWN", message: 'tool "x" is unknown', hint: "Look again.", position },
      },
      exitCode: 3,
    });
  });

  test("several problems are all shown", () => {
    const problems = [1, 2].map(
      (line) => new ToolingError("WORKSPACE_INVALID", `problem ${line}`, { position: { ...position, line } }),
    );
    const error = new ToolingError("WORKSPACE_INVALID", "problem 1", {
      position,
      cause: new AggregateError(problems),
    });
    const { lines, json } = describeFailure(error);
    expect(lines).toHaveLength(2);
    expect(json.error.problems?.map(({ message }) => message)).toEqual(["problem 1", "problem 2"]);
  });

  test("no control character of quoted text reaches the terminal", () => {
    const { lines } = describeFailure(new ToolingError("FILE_NOT_FOUND", '"a\u001B[2J\nb" is missing'));
    expect(lines).toEqual(['error: "a [2J b" is missing [FILE_NOT_FOUND]']);
  });

  test("debug adds the stack and the causes", () => {
    const error = new ToolingError("DISK_FULL", "full", { cause: new Error("ENOSPC") });
    expect(describeFailure(error).lines).toHaveLength(1);
    expect(describeFailure(error, { debug: true }).lines.join("\n")).toContain("caused by: Error: ENOSPC");
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s ends with %i, whatever broke because of it", (signal, exitCode) => {
    const aborted = new Interruption(signal);
    expect(describeFailure(new Error("socket hang up"), { aborted })).toMatchObject({
      lines: ["interrupted"],
      exitCode,
    });
  });

  test("an unforeseen error keeps its stack and asks for a report", () => {
    const { lines, exitCode, json } = describeFailure(new TypeError("x is not a function"));
    expect(exitCode).toBe(70);
    expect(lines[0]).toMatch(/please report it: TypeError: x is not a function\n\s+at /);
    expect(json.error.code).toBe("INTERNAL_ERROR");
  });
});
