// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import { readAr } from "./read-ar.ts";

describe("readAr", () => {
  test("reads members of odd and even size, and skips those that are not read", async () => {
    const archive = arOf(["debian-binary", "2.0\n"], ["control.tar.xz/", "odd"], ["data.tar.xz", "content"]);
    const found: string[] = [];
    for await (const { name, size, content } of readAr(streamOf(archive))) {
      const text = name === "control.tar.xz" ? "-" : Buffer.from(await collectBytes(content)).toString();
      found.push(`${name} ${size} ${text}`);
    }
    expect(found).toEqual(["debian-binary 4 2.0\n", "control.tar.xz 3 -", "data.tar.xz 7 content"]);
  });

  test("refuses an archive that is cut short, wherever that is", async () => {
    const archive = arOf(["a", "one"], ["b", "three"]);
    const ends = new Set([8, 72]);
    for (let end = 0; end < archive.byteLength; end += 1) {
      if (!ends.has(end)) {
        await expect(readAll(archive.subarray(0, end))).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
      }
    }
  });

  test.each([
    ["another format", Buffer.from("not an archive at all")],
    ["a name that climbs", arOf(["../../etc/x", ""])],
    ["long names", arOf(["//", ""])],
    [
      "a size that is no number",
      Buffer.from(arOf(["a", ""]).toString("latin1").replace("0         `", "-1        `")),
    ],
    ["a header without its mark", Buffer.from(arOf(["a", ""]).toString("latin1").replace("`\n", "xx"))],
  ])("refuses %s", async (_, archive) => {
    await expect(readAll(archive)).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
  });
});

function arOf(...members: readonly (readonly [string, string])[]): Buffer {
  const parts = members.map(([name, content]) => {
    const head = `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}`;
    return `${head}${String(content.length).padEnd(10)}\`\n${content}${content.length % 2 === 1 ? "\n" : ""}`;
  });
  return Buffer.from(`!<arch>\n${parts.join("")}`, "latin1");
}

async function readAll(archive: Uint8Array): Promise<void> {
  for await (const { content } of readAr(streamOf(archive))) await collectBytes(content);
}
