// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { CommandOption } from "./command.ts";
import { PROGRAM_OPTIONS } from "./global-options.ts";
import { parseOptions, splitLeadingOptions } from "./parse-options.ts";

const OPTIONS: Readonly<Record<string, CommandOption>> = {
  ...PROGRAM_OPTIONS,
  image: { type: "string", multiple: true, summary: "" },
};

describe("splitLeadingOptions", () => {
  test.each([
    [["helm", "--version"], [], ["helm", "--version"]],
    [
      ["-C", "dir", "helm", "-C", "x"],
      ["-C", "dir"],
      ["helm", "-C", "x"],
    ],
    [
      ["--workspace=dir", "--json", "jq", "--json"],
      ["--workspace=dir", "--json"],
      ["jq", "--json"],
    ],
    [["-qC", "dir", "jq"], ["-qC", "dir"], ["jq"]],
    [["-Cdir", "jq"], ["-Cdir"], ["jq"]],
    [["--", "build", "--help"], [], ["build", "--help"]],
    [["-q", "--", "--", "x"], ["-q"], ["--", "x"]],
    [["-"], [], ["-"]],
    [[""], [], [""]],
  ])("of %j gives %j and %j", (words, leading, rest) => {
    expect(splitLeadingOptions(words, OPTIONS)).toMatchObject({ leading, rest });
  });
});

describe("parseOptions", () => {
  test("reads options between operands, and repeated ones as a list", () => {
    const input = parseOptions(["a", "--image", "x", "--json", "b", "--image=y"], OPTIONS, "toolbox build");
    expect(input).toEqual({ operands: ["a", "b"], options: { image: ["x", "y"], json: true } });
  });

  test.each([
    [["--jsn"], 'option "--jsn" is unknown to `toolbox build`', 'Did you mean "--json"?'],
    [["-Z"], 'option "-Z" is unknown', "--help"],
    [["--image"], "needs a value", "--help"],
    [["--json=yes"], "takes no value", "--help"],
    [["--image", "--json"], "needs a value", "--help"],
  ])("refuses %j", (words, message, hint) => {
    expect(() => parseOptions(words, OPTIONS, "toolbox build")).toThrow(
      expect.objectContaining({
        code: "COMMAND_USAGE",
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      }),
    );
  });
});
