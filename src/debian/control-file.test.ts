// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatControl, parseControl, readControlFields } from "./control-file.ts";

const twoPackages = "Package: a\nDescription: x\n long\n .\n text\nSize: 1\n\nPackage: b\nSize:2\n";

describe("parseControl", () => {
  test("keeps continuation lines and splits paragraphs at blank lines", () => {
    expect(parseControl(`# comment\n${twoPackages}\n\n`)).toEqual([
      { Package: "a", Description: "x\n long\n .\n text", Size: "1" },
      { Package: "b", Size: "2" },
    ]);
  });

  test.each([" orphan", "no colon", ": no name", "-dash: x"])('refuses the line "%s"', (text) => {
    expect(() => parseControl(text)).toThrow(expect.objectContaining({ code: "DEBIAN_INDEX_INVALID" }));
  });

  test("refuses a field given twice", () => {
    expect(() => parseControl("A: 1\nA: 2\n")).toThrow('"A" is given twice');
  });

  test("reads what formatControl writes", () => {
    const name = fc.stringMatching(/^[A-Z][A-Za-z0-9-]{0,8}$/u);
    const line = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?$/u);
    const value = fc
      .tuple(
        fc.option(line, { nil: "" }),
        fc.array(
          line.map((text) => `\n ${text}`),
          { maxLength: 3 },
        ),
      )
      .map(([first, more]) => first + more.join(""));
    fc.assert(
      fc.property(fc.dictionary(name, value, { minKeys: 1, noNullPrototype: true }), (paragraph) => {
        expect(parseControl(formatControl(paragraph))).toEqual([paragraph]);
      }),
    );
  });
});

describe("readControlFields", () => {
  test("keeps only the wanted fields, whatever the chunks", async () => {
    for (let size = 1; size < 20; size += 1) {
      expect(await readAll(twoPackages, size)).toEqual([
        { Package: "a", Size: "1" },
        { Package: "b", Size: "2" },
      ]);
    }
  });

  test("does not take a continuation line or a longer name for a field", async () => {
    expect(await readAll("Packages: no\nX:\n Size: 9\nPackage: c\n", 1000)).toEqual([{ Package: "c" }]);
  });
});

async function readAll(text: string, size: number): Promise<object[]> {
  const paragraphs: object[] = [];
  for await (const fields of readControlFields(chunksOf(text, size), ["Package", "Size"])) {
    paragraphs.push(Object.fromEntries(fields));
  }
  return paragraphs;
}

async function* chunksOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  for (let start = 0; start < bytes.byteLength; start += size) yield bytes.slice(start, start + size);
}
