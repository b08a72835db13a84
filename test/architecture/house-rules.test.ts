// SPDX-License-Identifier: Apache-2.0
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { codeOf, readSource, repositoryFiles, sourceFiles } from "./source-tree.ts";

const SOURCE = sourceFiles("src");
const PRODUCT = SOURCE.filter((path) => !path.includes(".test."));

describe("only src/cli", () => {
  test.each([
    ["reads the environment", /\bprocess\s*\.\s*env\b/],
    ["asks for the working directory", /\bprocess\s*\.\s*cwd\b/],
    ["prints", /\bconsole\s*\.\s*\w|\bprocess\s*\.\s*std(?:out|err)\b/],
    ["ends the process", /\bprocess\s*\.\s*(?:exit|exitCode|abort)\b/],
  ])("%s", (_, pattern) => {
    const strays = PRODUCT.filter((path) => !path.startsWith("src/cli/")).filter((path) =>
      pattern.test(codeOf(readSource(path))),
    );
    expect(strays).toEqual([]);
  });
});

describe("a source file", () => {
  test("starts with its licence", () => {
    const bare = [
      ...SOURCE,
      ...sourceFiles("test"),
      ...sourceFiles("scripts"),
      ...sourceFiles("examples"),
    ].filter((path) => !/^(?:#![^\n]*\n)?\/\/ SPDX-License-Identifier: Apache-2\.0\n/.test(readSource(path)));
    expect(bare).toEqual([]);
  });

  test("has at most 300 lines", () => {
    const long = [...SOURCE, ...sourceFiles("test"), ...sourceFiles("scripts"), ...sourceFiles("examples")]
      .map((path) => ({ path, lines: readSource(path).split("\n").length - 1 }))
      .filter(({ lines }) => lines > 300);
    expect(long).toEqual([]);
  });

  test("is named after its noun, in kebab-case", () => {
    const rooms = /(?:^|\/)(?:utils?|helpers?|common|misc|types|constants)(?:\/|\.[mt]?[jt]s$)/;
    const odd = SOURCE.filter(
      (path) => rooms.test(path) || !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.test)?\.(?:ts|mjs)$/.test(basename(path)),
    );
    expect(odd).toEqual([]);
  });

  test("has no test that does not run", () => {
    const idle = [...SOURCE, ...sourceFiles("test")].filter((path) =>
      /\b(?:test|it|describe)\s*\.\s*(?:skip|only|todo|fails)\b/.test(codeOf(readSource(path))),
    );
    expect(idle).toEqual([]);
  });
});

describe("no file of the repository", () => {
  // Assembled here, so that this file itself names none.
  const dot = "\\.";
  const HOSTS = [
    [["npm", "js"].join(""), "(?:org|com)"].join(dot),
    ["python", "hosted"].join(""),
    [["py", "pi"].join(""), "(?:org|python)"].join(dot),
    [["pro", "xy"].join(""), "golang", "org"].join(dot),
    [["su", "m"].join(""), "golang", "org"].join(dot),
    [["go", "proxy"].join(""), "(?:io|cn)"].join(dot),
    `[a-z0-9-]+${dot}${["deb", "ian"].join("")}${dot}(?:org|net)/${["deb", "ian"].join("")}`,
    [
      `(?:deb|ftp[a-z0-9.]*|snapshot|security|httpredir|cdn-fastly)`,
      ["deb", "ian"].join(""),
      "(?:org|net)",
    ].join(dot),
    [["ya", "rn", "pkg"].join(""), "com"].join(dot),
  ];
  const pattern = new RegExp(`(?:${HOSTS.join("|")})`, "i");

  test("names the host of a package registry or mirror", () => {
    const named = textFiles().filter((path) => pattern.test(readSource(path)));
    expect(named).toEqual([]);
  });

  test.each([
    ["https://registry.", "npm", "js.org/x"],
    ["http://deb.", "deb", "ian.org/"],
    ["https://pro", "xy.gol", "ang.org"],
  ])("(the pattern sees %s...)", (...parts) => {
    expect(pattern.test(parts.join(""))).toBe(true);
  });

  test("pins a dependency to one registry: package-lock.json holds no address", () => {
    expect(readSource("package-lock.json")).not.toContain('"resolved"');
  });

  test("leaves work for later", () => {
    const words = new RegExp(
      `\\b(?:${[
        ["TO", "DO"],
        ["FIX", "ME"],
        ["X", "XX"],
      ]
        .map((halves) => halves.join(""))
        .join("|")})\\b`,
    );
    const unfinished = textFiles().filter(
      (path) => /^(?:src|test|scripts|examples)\//.test(path) && words.test(readSource(path)),
    );
    expect(unfinished).toEqual([]);
  });
});

function textFiles(): string[] {
  return repositoryFiles().filter((path) => !/\.(?:png|gz|xz|zst|deb|gpg|pgp|tar|bin)$/.test(path));
}
