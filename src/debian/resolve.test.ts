// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { createPackageIndex, type PackageIndex, type PackageRecord } from "./package-index.ts";
import { resolveClosure, type ResolveClosureOptions } from "./resolve.ts";

describe("resolveClosure", () => {
  test("follows Pre-Depends and Depends, takes the highest version, and sorts by name", () => {
    const index = indexOf({ name: "tool", depends: "zlib, libc (>= 2)" }, "zlib", "libc=2.1", "libc=2.10");
    expect(resolve(index, "tool")).toEqual(["libc=2.10", "tool=1", "zlib=1"]);
  });

  test("takes the first alternative that can be had, and one that is there already before it", () => {
    const index = indexOf({ name: "tool", depends: "gone | first | second" }, "first", "second");
    expect(resolve(index, "tool")).toEqual(["first=1", "tool=1"]);
    expect(resolve(index, "tool second")).toEqual(["second=1", "tool=1"]);
  });

  test("ranks providers of a virtual package by priority, then by name", () => {
    const index = indexOf(
      { name: "tool", depends: "awk" },
      { name: "gawk", provides: "awk", priority: "optional" },
      { name: "mawk", provides: "awk", priority: "required" },
      { name: "bawk", provides: "awk", priority: "optional" },
    );
    expect(resolve(index, "tool")).toEqual(["mawk=1", "tool=1"]);
  });

  test("lets only a versioned provision satisfy a versioned dependency", () => {
    const index = indexOf(
      { name: "tool", depends: "api (>= 2)" },
      { name: "plain", provides: "api" },
      { name: "old", provides: "api (= 1)" },
      { name: "new", provides: "api (= 2)" },
    );
    expect(resolve(index, "tool")).toEqual(["new=1", "tool=1"]);
  });

  test("takes back an alternative that leads nowhere", () => {
    const index = indexOf(
      { name: "tool", depends: "dead | alive" },
      { name: "dead", depends: "fine, nothing-has-this" },
      "fine",
      "alive",
    );
    expect(resolve(index, "tool")).toEqual(["alive=1", "tool=1"]);
  });

  test("avoids what conflicts with the choice so far, on either side", () => {
    const index = indexOf(
      { name: "tool", depends: "mta" },
      { name: "a-mail", provides: "mta", conflicts: "quiet (<< 2)" },
      { name: "b-mail", provides: "mta" },
      { name: "quiet", conflicts: "c-mail" },
      { name: "c-mail", provides: "mta", priority: "required" },
    );
    expect(resolve(index, "quiet tool")).toEqual(["b-mail=1", "quiet=1", "tool=1"]);
  });

  test("lets a package conflict with the virtual name that it provides itself", () => {
    const index = indexOf({ name: "mta", provides: "mail", conflicts: "mail" });
    expect(resolve(index, "mta")).toEqual(["mta=1"]);
  });

  test("does not repeat or change what is installed", () => {
    const index = indexOf({ name: "tool", depends: "libc (>= 2), shell" }, "libc=2.5", "dash");
    const installed = [
      { name: "libc", version: "2.1", architecture: "amd64" },
      { name: "dash", version: "1", architecture: "amd64", provides: "shell" },
    ];
    expect(resolve(index, "tool", { installed })).toEqual(["tool=1"]);
    expect(() => resolve(index, "tool", { installed: [{ ...installed[0]!, version: "1.9" }] })).toThrow(
      '"libc (>= 2)" cannot be had: 1.9 of "libc" is there already; needed by "tool"',
    );
  });

  test("understands :any, other architectures, and restrictions to some", () => {
    const index = indexOf(
      { name: "tool", depends: "python:any, libx [arm64], liby [!arm64], libz:arm64 | libw:amd64" },
      "python",
      "liby",
      "libz",
      "libw",
      "libx",
    );
    expect(resolve(index, "tool")).toEqual(["libw=1", "liby=1", "python=1", "tool=1"]);
  });

  test("goes round in circles only once", () => {
    const index = indexOf({ name: "a", depends: "b" }, { name: "b", depends: "a" });
    expect(resolve(index, "a")).toEqual(["a=1", "b=1"]);
  });

  test("adds Essential packages where asked, and takes a named version", () => {
    const index = indexOf({ name: "base", essential: true }, "tool=1", "tool=2");
    expect(resolve(index, "tool=1", { essential: true })).toEqual(["base=1", "tool=1"]);
  });

  test("says the chain that leads to what cannot be had", () => {
    const index = indexOf({ name: "a", depends: "b" }, { name: "b", depends: "c (>= 3)" }, "c=2");
    expect(() => resolve(index, "a")).toThrow(
      expect.objectContaining({
        code: "DEBIAN_DEPENDENCY_UNMET",
        message: '"c (>= 3)" cannot be had: the newest "c" is 2; needed by "a" > "b"',
      }),
    );
  });

  test.each([
    ["kubctl", "VERSION_NOT_FOUND", 'Did you mean "kubectl"?'],
    ["kubectl=9", "VERSION_NOT_FOUND", "Take one of: 1."],
    ["mail", "DEBIAN_DEPENDENCY_UNMET", "Name one of its providers: p, q."],
  ])('explains the wish "%s"', (wish, code, hint) => {
    const index = indexOf("kubectl", { name: "p", provides: "mail" }, { name: "q", provides: "mail" });
    expect(() => resolve(index, wish)).toThrow(expect.objectContaining({ code, hint }));
  });

  test("gives the same answer whatever the order of the index", () => {
    const records = [
      record({ name: "tool", depends: "x | y, awk" }),
      record({ name: "x" }),
      record({ name: "gawk", provides: "awk" }),
      record({ name: "mawk", provides: "awk" }),
      record({ name: "y" }),
    ];
    const answers = [records, records.toReversed()].map((order) =>
      resolve(createPackageIndex(order, "amd64"), "tool"),
    );
    expect(answers[0]).toEqual(answers[1]);
  });
});

function resolve(index: PackageIndex, wanted: string, options: ResolveClosureOptions = {}): string[] {
  return resolveClosure(index, wanted.split(" "), options).map(({ name, version }) => `${name}=${version}`);
}

function indexOf(...records: readonly (string | Partial<PackageRecord>)[]): PackageIndex {
  const full = records.map((item) => {
    if (typeof item !== "string") return record(item);
    const [name = "", version = "1"] = item.split("=");
    return record({ name, version });
  });
  return createPackageIndex(full, "amd64");
}

function record(parts: Partial<PackageRecord>): PackageRecord {
  return {
    name: "",
    version: "1",
    architecture: "amd64",
    suite: "trixie",
    path: "pool/x.deb",
    sha256: "0".repeat(64),
    size: 1,
    essential: false,
    priority: "optional",
    depends: "",
    provides: "",
    conflicts: "",
    ...parts,
  };
}
