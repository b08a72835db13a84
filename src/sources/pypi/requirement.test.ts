// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCoreMetadata } from "./core-metadata.ts";
import { evaluateMarker, parseMarker } from "./marker.ts";
import { normalizeProject } from "./project-name.ts";
import { parseRequirement } from "./requirement.ts";
import { formatSpecifiers } from "./specifier.ts";
import { describeEnvironment, type TargetPython } from "./target-python.ts";

const ARM: TargetPython = { platform: "linux/arm64", version: "3.13.5", series: [3, 13], glibc: [2, 41] };
const ENVIRONMENT = { ...describeEnvironment(ARM), extra: "socks" };

describe("a marker", () => {
  test.each([
    ["python_version >= '3.8'", true],
    ["python_version < '3.9'", false],
    ["python_full_version == '3.13.*'", true],
    ["'3.8' <= python_version", true],
    ["sys_platform == 'win32' or os.name == \"posix\"", true],
    ["sys_platform == 'linux' and platform_machine == 'aarch64'", true],
    ["sys_platform == 'linux' and (platform_machine == 'x86_64' or python_version < '3')", false],
    ["'arm' in platform_machine", false],
    ["'aarch' in platform_machine", true],
    ["platform_machine not in 'x86_64 AMD64'", true],
    ["extra == 'SOCKS'", true],
    ["extra == 'tests'", false],
    ["implementation_name != 'cpython'", false],
    ["platform_release >= '5'", false],
    ["python_version in '3.12 3.13'", true],
    ["sys_platform == 'win32' and python_version < '3' or extra == 'socks'", true],
  ])("%s is %s on arm64 with Python 3.13", (text, expected) => {
    const marker = parseMarker(text);
    if (marker === undefined) throw new Error("it was not understood");
    expect(evaluateMarker(marker, ENVIRONMENT)).toBe(expected);
  });

  test.each([
    "",
    "python_version",
    "python_version >=",
    "color == 'red'",
    "(python_version > '3'",
    "python_version > '3' and",
  ])("%j is malformed", (text) => {
    expect(parseMarker(text)).toBeUndefined();
  });
});

describe("a requirement", () => {
  test("is read in all its parts", () => {
    const requirement = parseRequirement("Foo_Bar [Socks, a.b] (>=1.0,<2) ; python_version >= '3.8'");
    expect(requirement).toMatchObject({ project: "foo-bar", extras: ["a-b", "socks"] });
    expect(formatSpecifiers(requirement?.specifiers ?? [])).toBe(">=1.0,<2");
    expect(requirement?.marker).toBeDefined();
  });

  test("keeps a semicolon that stands in quotes", () => {
    expect(parseRequirement("a; platform_version == 'x;y'")?.marker).toMatchObject({
      right: { text: "x;y" },
    });
  });

  test("may name an address of its own", () => {
    expect(parseRequirement("a @ https://example.com/a;b.whl ; extra == 'x'")).toMatchObject({
      url: "https://example.com/a;b.whl",
    });
  });

  test.each(["", "-a", "a b", "a>=", "a[", "a[!]", "a; color == 'red'", "a (>=1", "a>=1 <2"])(
    "%j is malformed",
    (text) => {
      expect(parseRequirement(text)).toBeUndefined();
    },
  );

  test("is read alike with and without white space", () => {
    const name = fc.stringMatching(/^[a-z](?:[a-z0-9._-]{0,8}[a-z0-9])?$/);
    const clause = fc.tuple(fc.constantFrom(">=", "==", "!=", "<", "~="), fc.nat(9), fc.nat(9));
    fc.assert(
      fc.property(name, fc.array(clause, { maxLength: 3 }), (project, clauses) => {
        const tight = `${project}${clauses.map(([sign, a, b]) => `${sign}${a}.${b}`).join(",")}`;
        const wide = ` ${project}  ( ${clauses.map(([sign, a, b]) => ` ${sign} ${a}.${b}`).join(" , ")} ) `;
        expect(formatSpecifiers(parseRequirement(wide)?.specifiers ?? [])).toBe(
          formatSpecifiers(parseRequirement(tight)?.specifiers ?? []),
        );
        expect(parseRequirement(tight)?.project).toBe(normalizeProject(project));
      }),
    );
  });
});

describe("METADATA", () => {
  test("ends at the first empty line, and folded lines are one", () => {
    const text =
      "Metadata-Version: 2.1\r\nName: Foo.Bar\nVersion: 1.0\nRequires-Dist: a>=1\nRequires-Dist: b;\n extra == 'x'\nRequires-Python: >=3.8\n\nRequires-Dist: c\n";
    const metadata = parseCoreMetadata(text);
    expect(metadata).toMatchObject({ project: "foo-bar", version: "1.0" });
    expect(metadata?.requirements.map(({ project }) => project)).toEqual(["a", "b"]);
  });

  test.each([
    ["has no name", "Version: 1.0\n"],
    ["has a dependency that nobody understands", "Name: a\nVersion: 1.0\nRequires-Dist: b >> 1\n"],
  ])("that %s is none", (_, text) => {
    expect(parseCoreMetadata(text)).toBeUndefined();
  });
});
