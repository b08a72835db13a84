// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { explainNoCandidate, listCandidates, selectCandidates } from "./candidates.ts";
import { type IndexedFile, parseIndexPage } from "./index-page.ts";
import { parseSpecifiers } from "./specifier.ts";
import { listTargetTags, type TargetPython } from "./target-python.ts";
import { parseWheelName } from "./wheel-name.ts";

const AMD: TargetPython = { platform: "linux/amd64", version: "3.11.2", series: [3, 11], glibc: [2, 36] };
const ARM: TargetPython = { ...AMD, platform: "linux/arm64" };
const SHA256 = "a".repeat(64);

describe("a wheel", () => {
  test("says in its name what it fits", () => {
    expect(parseWheelName("Foo_Bar-1.0-2b-py2.py3-none-any.whl")).toMatchObject({
      project: "foo-bar",
      build: [2, "b"],
      tags: ["py2-none-any", "py3-none-any"],
    });
  });

  test.each([
    "a-1.0.whl",
    "a-1.0-py3-none.whl",
    "a-x-py3-none-any.whl",
    "a-1.0-x-py3-none-any.whl",
    "../a-1.0-py3-none-any.whl",
  ])("that is named %s is none", (name) => {
    expect(parseWheelName(name)).toBeUndefined();
  });

  test("is chosen by the target's CPU, C library and Python, compiled before pure", () => {
    const names = [
      "a-1.0-py3-none-any.whl",
      "a-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
      "a-1.0-cp311-cp311-manylinux_2_34_x86_64.whl",
      "a-1.0-cp311-cp311-manylinux_2_38_x86_64.whl",
      "a-1.0-cp39-abi3-manylinux2014_aarch64.whl",
      "a-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
      "a-1.0-cp311-cp311-musllinux_1_2_x86_64.whl",
      "a-1.0-cp311-cp311-macosx_11_0_arm64.whl",
    ];
    expect(chosen(names, AMD)).toEqual(["a-1.0-cp311-cp311-manylinux_2_34_x86_64.whl"]);
    expect(chosen(names, ARM)).toEqual(["a-1.0-cp39-abi3-manylinux2014_aarch64.whl"]);
    expect(chosen(names.slice(0, 1), ARM)).toEqual(["a-1.0-py3-none-any.whl"]);
  });

  test("of one tag is the one with the highest build", () => {
    const names = ["a-1.0-9-py3-none-any.whl", "a-1.0-10-py3-none-any.whl", "a-1.0-py3-none-any.whl"];
    expect(chosen(names, AMD)).toEqual(["a-1.0-10-py3-none-any.whl"]);
  });
});

test("tags go from the most to the least particular", () => {
  const tags = listTargetTags(AMD);
  expect(tags.slice(0, 2)).toEqual([
    "cp311-cp311-manylinux_2_36_x86_64",
    "cp311-cp311-manylinux_2_35_x86_64",
  ]);
  expect(tags.at(-1)).toBe("py30-none-any");
  expect(new Set(tags).size).toBe(tags.length);
});

describe("of releases", () => {
  const names = ["1.0", "2.0", "2.1rc1", "3.0.dev1"].map((version) => `a-${version}-py3-none-any.whl`);

  test("the newest final one comes first, and pre-releases only where they are asked for or alone", () => {
    expect(selected(names, "")).toEqual(["2.0", "1.0"]);
    expect(selected(names, ">=2.1rc1")).toEqual(["3.0.dev1", "2.1rc1"]);
    expect(selected(names, ">2.0")).toEqual(["3.0.dev1", "2.1rc1"]);
  });

  test("withdrawn ones only count where they are named", () => {
    const files = names.map((name) => ({ ...fileOf(name), yanked: name.includes("2.0") }));
    expect(versions(files, "")).toEqual(["1.0"]);
    expect(versions(files, "==2.0")).toEqual(["2.0"]);
    expect(explainNoCandidate("a", files, parseSpecifiers(">=2,<2.1") ?? [], AMD)).toContain("was withdrawn");
  });

  test("those for another Python are left out", () => {
    const files = names.map((name) => ({
      ...fileOf(name),
      requiresPython: name.includes("2.0") ? ">=3.12" : "junk",
    }));
    expect(versions(files, "")).toEqual(["1.0"]);
  });

  test("those without a digest are left out", () => {
    const files = names.map((name) => ({ ...fileOf(name), sha256: undefined }));
    expect(versions(files, "")).toEqual([]);
    expect(explainNoCandidate("a", files, [], AMD)).toContain("gives no sha256");
  });

  test.each([
    ["nothing at all", undefined, "is not in the Python index"],
    ["source only", ["a-1.0.tar.gz"], "only published as source"],
    ["another CPU only", ["a-1.0-cp311-cp311-win_amd64.whl"], "fits Python 3.11 on linux/amd64"],
    ["other versions only", ["a-0.1-py3-none-any.whl"], 'no wheel in ">=1"'],
  ])("it is said why there is none: %s", (_, files, why) => {
    expect(explainNoCandidate("a", files?.map(fileOf), parseSpecifiers(">=1") ?? [], AMD)).toContain(why);
  });
});

describe("a page of an index", () => {
  const address = "https://user:secret@index.example/simple/a/";

  test("says the same as HTML and as JSON", () => {
    const html = `<!DOCTYPE html><body>
      <a href="../../files/a-1.0-py3-none-any.whl#sha256=${SHA256}" data-requires-python="&gt;=3.8" data-yanked=""
        data-core-metadata="sha256=${SHA256}">a-1.0-py3-none-any.whl</a><br/>
      <A HREF='/b/a%2B1.tar.gz'>x</A></body>`;
    const json = JSON.stringify({
      meta: { "api-version": "1.1" },
      files: [
        {
          filename: "a-1.0-py3-none-any.whl",
          url: "../../files/a-1.0-py3-none-any.whl",
          hashes: { sha256: SHA256.toUpperCase() },
          "requires-python": ">=3.8",
          yanked: "broken",
          "core-metadata": { sha256: SHA256 },
        },
        { filename: "a+1.tar.gz", url: "/b/a%2B1.tar.gz", hashes: {}, yanked: false },
      ],
    });
    expect(parseIndexPage(json, address)).toEqual(parseIndexPage(html, address));
    expect(parseIndexPage(html, address)[0]).toMatchObject({
      url: "https://user:secret@index.example/files/a-1.0-py3-none-any.whl",
      requiresPython: ">=3.8",
      yanked: true,
      metadataSha256: SHA256,
    });
  });

  test.each([
    ["JSON of another version", '{"meta":{"api-version":"2.0"},"files":[]}', "DOWNLOAD_FAILED"],
    ["JSON with a key twice", '{"meta":{},"meta":{}}', "JSON_INVALID"],
    ["something else", "not found", "DOWNLOAD_FAILED"],
  ])("that is %s is refused", (_, text, code) => {
    expect(() => parseIndexPage(text, address)).toThrow(expect.objectContaining({ code }) as Error);
  });
});

function fileOf(name: string): IndexedFile {
  return { name, url: `https://index.example/${name}`, sha256: SHA256, yanked: false };
}

function chosen(names: readonly string[], target: TargetPython): readonly string[] {
  return listCandidates("a", names.map(fileOf), target).map(({ file }) => file.name);
}

function selected(names: readonly string[], specifiers: string): readonly string[] {
  return versions(names.map(fileOf), specifiers);
}

function versions(files: readonly IndexedFile[], specifiers: string): readonly string[] {
  const candidates = listCandidates("a", files, AMD);
  return selectCandidates(candidates, parseSpecifiers(specifiers) ?? []).map(({ version }) => version.text);
}
