// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  adviseFreshness,
  claimAsking,
  claimTelling,
  freshnessFile,
  keepAnswer,
  readFreshness,
} from "./freshness.ts";

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 0, 2, 12);
const PINNED = "sha256:one";

let folder = "";
let file = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-freshness-"));
  file = freshnessFile(folder, "/work", "team/tools:1");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("advice", () => {
  test("without an answer is to ask", () => {
    expect(adviseFreshness(undefined, PINNED, NOON)).toEqual({ isQuestionDue: true });
  });

  test("about another digest than the pinned one is worth nothing", () => {
    const known = { pinned: "sha256:other", askAfter: NOON + DAY, news: "old news" };
    expect(adviseFreshness(known, PINNED, NOON)).toEqual({ isQuestionDue: true });
  });

  test("tells at most once in a day, and a clock that was set back silences nothing for longer", () => {
    fc.assert(
      fc.property(fc.integer({ min: -3 * DAY, max: 3 * DAY }), (passed) => {
        const known = { pinned: PINNED, askAfter: NOON, tellAfter: NOON + DAY, news: "news" };
        const { news } = adviseFreshness(known, PINNED, NOON + passed);
        expect(news).toBe(passed >= 0 && passed < DAY ? undefined : "news");
      }),
    );
  });
});

describe("a day of commands", () => {
  test("asks once, tells the answer once, and both again on the next day", async () => {
    expect(await command(NOON)).toEqual({ told: undefined, asks: true });
    expect(await command(NOON + 1)).toEqual({ told: undefined, asks: false });
    await keepAnswer(file, { pinned: PINNED, news: "2 releases behind" }, NOON + 500);
    expect(await command(NOON + 1000)).toEqual({ told: "2 releases behind", asks: false });
    for (const later of [2000, HOUR, DAY - 1])
      expect(await command(NOON + later)).toEqual({ told: undefined, asks: false });
    expect(await command(NOON + DAY + 1000)).toEqual({ told: "2 releases behind", asks: true });
    await keepAnswer(file, { pinned: PINNED, news: "3 releases behind" }, NOON + DAY + 2000);
    expect(await command(NOON + DAY + 3000)).toEqual({ told: undefined, asks: false });
    expect(await command(NOON + 2 * DAY + 1000)).toMatchObject({ told: "3 releases behind" });
  });

  test("asks again after an hour when nobody answered", async () => {
    expect(await command(NOON)).toMatchObject({ asks: true });
    expect(await command(NOON + HOUR - 1)).toMatchObject({ asks: false });
    expect(await command(NOON + HOUR)).toMatchObject({ asks: true });
  });

  test("keeps what it knows while it asks again", async () => {
    await keepAnswer(file, { pinned: PINNED, news: "news" }, NOON);
    expect(await claimAsking(file, PINNED, NOON + DAY)).toBe(true);
    expect(await readFreshness(file)).toMatchObject({ news: "news" });
  });

  test("tells once even when many commands start at once, and leaves no other file", async () => {
    await keepAnswer(file, { pinned: PINNED, news: "news" }, NOON);
    const known = await readFreshness(file);
    if (known === undefined) throw new Error("the answer was not kept");
    const claims = await Promise.all(Array.from({ length: 8 }, () => claimTelling(file, known, NOON)));
    expect(claims.filter(Boolean).length).toBeLessThanOrEqual(1);
    expect((await command(NOON + 1)).told).toBe(claims.some(Boolean) ? undefined : "news");
    expect(await readdir(dirname(file))).toHaveLength(1);
  });
});

describe("a file", () => {
  test.each(["", "{", "null", "[]", '{"pinned":1,"askAfter":0}', '{"pinned":"a","askAfter":"b"}'])(
    "that holds %j is as good as none, and is replaced by the next answer",
    async (text) => {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      expect(await readFreshness(file)).toBeUndefined();
      await keepAnswer(file, { pinned: PINNED, news: undefined }, NOON);
      expect(await readFreshness(file)).toEqual({ pinned: PINNED, askAfter: NOON + DAY });
    },
  );

  test("that cannot be written keeps everybody from asking, instead of everybody asking", async () => {
    await writeFile(join(folder, "freshness"), "in the way");
    expect(await claimAsking(file, PINNED, NOON)).toBe(false);
  });

  test("belongs to one workspace and image", () => {
    const others = [
      freshnessFile(folder, "/other", "team/tools:1"),
      freshnessFile(folder, "/work", "team/tools"),
    ];
    expect(new Set([file, ...others]).size).toBe(3);
  });
});

/** One command at `now`; gives what it tells, and whether it asks. */
async function command(now: number): Promise<{ told: string | undefined; asks: boolean }> {
  const known = await readFreshness(file);
  const { news, isQuestionDue } = adviseFreshness(known, PINNED, now);
  const told = known !== undefined && news !== undefined && (await claimTelling(file, known, now));
  return { told: told ? news : undefined, asks: isQuestionDue && (await claimAsking(file, PINNED, now)) };
}
