// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseRelease } from "./release-file.ts";
import { checkReleaseFreshness } from "./release-freshness.ts";

const sum = "a".repeat(64);
const release = `Origin: Debian
Suite: stable
Codename: trixie
Date: Sat, 12 Sep 2026 07:55:41 UTC
Valid-Until: Sat, 19 Sep 2026 07:55:41 UTC
Acquire-By-Hash: yes
Architectures: all amd64
No-Support-for-Architecture-all: Packages
MD5Sum:
 ${"b".repeat(32)} 1 main/x
SHA256:
 ${sum}       12 main/binary-amd64/Packages.xz
`;
const during = new Date("2026-09-13T00:00:00Z");

let stateFile: string;
beforeEach(async () => {
  stateFile = join(await mkdtemp(join(tmpdir(), "dates-")), "deep/dates.json");
});
afterEach(async () => rm(join(stateFile, "../.."), { recursive: true }));

describe("parseRelease", () => {
  test("keeps what is needed, and SHA256 only", () => {
    const parsed = parseRelease(release);
    expect(parsed).toMatchObject({ origin: "Debian", codename: "trixie", byHash: true, separateAll: false });
    expect(parsed.validUntil?.toISOString()).toBe("2026-09-19T07:55:41.000Z");
    expect([...parsed.indexes]).toEqual([["main/binary-amd64/Packages.xz", { size: 12, sha256: sum }]]);
  });

  test.each([
    ["no SHA256", release.replace("SHA256:", "SHA1:"), "lists no SHA256"],
    ["a short digest", release.replace(sum, "abc"), "odd line"],
    ["no date", release.replace("Date:", "X-Date:"), "no valid Date"],
    ["a local time", release.replace("41 UTC\nValid", "41 CEST\nValid"), "no valid Date"],
    ["nothing in it", "", "is empty"],
  ])("refuses a file with %s", (_, text, why) => {
    expect(() => parseRelease(text)).toThrow(
      expect.objectContaining({ code: "DEBIAN_INDEX_INVALID", message: expect.stringContaining(why) }),
    );
  });
});

describe("checkReleaseFreshness", () => {
  test("accepts the same and newer dates, and refuses an older one of the same suite", async () => {
    const older = parseRelease(release.replace("12 Sep", "11 Sep"));
    await check(older);
    await check(parseRelease(release));
    await check(parseRelease(release));
    await expect(check(older)).rejects.toMatchObject({
      code: "DEBIAN_INDEX_ROLLBACK",
      hint: expect.stringContaining(stateFile),
    });
  });

  test("takes a damaged memory for an empty one", async () => {
    await check(parseRelease(release));
    await writeFile(stateFile, "{ half");
    await check(parseRelease(release));
  });

  test.each([
    ["2026-09-20T00:00:00Z", "DEBIAN_INDEX_EXPIRED"],
    ["2026-09-11T00:00:00Z", "DEBIAN_INDEX_INVALID"],
  ])("at %s it is %s, with a word about the clock", async (now, code) => {
    await expect(checkReleaseFreshness(parseRelease(release), "trixie", new Date(now))).rejects.toMatchObject(
      {
        code,
        hint: expect.stringContaining("clock"),
      },
    );
  });

  test("refuses the answer for another suite", async () => {
    await expect(checkReleaseFreshness(parseRelease(release), "forky", during)).rejects.toMatchObject({
      code: "DEBIAN_INDEX_INVALID",
    });
  });
});

async function check(parsed: ReturnType<typeof parseRelease>): Promise<void> {
  await checkReleaseFreshness(parsed, "trixie", during, { stateFile });
}
