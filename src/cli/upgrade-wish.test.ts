// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { readUpgradeWish, releasesOf, selectReleases } from "./upgrade-wish.ts";

const OLD = `sha256:${"1".repeat(64)}`;
const NEW = `sha256:${"2".repeat(64)}`;

describe("readUpgradeWish", () => {
  test.each([
    ["team/tools", undefined, "latest", "team/tools"],
    ["team/tools:1.4", undefined, "1.4", "team/tools:1.4"],
    ["team/tools:1.4.0", undefined, "1.4.0", "team/tools:1.4.0"],
  ])("%s with --to %s looks up %s and leaves %s in the file", (reference, to, wanted, after) => {
    const wish = readUpgradeWish(reference, to);
    expect([wish.wanted, wish.referenceFor(NEW), wish.isHeld]).toEqual([wanted, after, false]);
  });

  test.each([
    ["a version in its range stays", "team/tools:1.4", "1.4.2", "team/tools:1.4"],
    ["a tag that is no version promises none", "team/tools:stable", "1.5.0", "team/tools:stable"],
    ["no tag promises none either", "localhost:5000/tools", "1.5.0", "localhost:5000/tools"],
    ["the same tag", "team/tools:1.4.0", "1.4.0", "team/tools:1.4.0"],
    ["an exact tag follows", "localhost:5000/tools:1.4.0", "1.5.0", "localhost:5000/tools:1.5.0"],
    ["so it does back", "team/tools:v1.4.0", "v1.3.9", "team/tools:v1.3.9"],
    ["so does a range that is left", "team/tools:1.4", "1.5", "team/tools:1.5"],
    ["and one that is left for a branch", "team/tools:1.4", "main", "team/tools:main"],
    ["a candidate is left for its release", "team/tools:1.4.0-rc.1", "1.4.0", "team/tools:1.4.0"],
    ["a digest follows its tag", `team/tools:1.4.0@${OLD}`, "1.5.0", `team/tools:1.5.0@${NEW}`],
    ["a digest is pinned, the tag stays", "team/tools:1.4.0", NEW, "team/tools:1.4.0"],
    ["a digest takes the place of a digest", `team/tools:1.4@${OLD}`, NEW, `team/tools:1.4@${NEW}`],
    ["with or without a tag", `team/tools@${OLD}`, NEW, `team/tools@${NEW}`],
  ])("%s", (_, reference, to, after) => {
    const wish = readUpgradeWish(reference, to);
    expect([wish.wanted, wish.referenceFor(NEW), wish.isHeld]).toEqual([to, after, false]);
  });

  test("a digest in the file holds it until somebody says where to", () => {
    expect(readUpgradeWish(`team/tools:1.4@${OLD}`)).toMatchObject({ wanted: "1.4", isHeld: true });
    expect(readUpgradeWish(`team/tools@${OLD}`)).toMatchObject({ wanted: OLD, isHeld: true });
  });

  test("refuses what is neither tag nor digest", () => {
    expect(() => readUpgradeWish("team/tools", "../1")).toThrow(
      expect.objectContaining({ code: "COMMAND_USAGE" }),
    );
  });
});

describe("releases", () => {
  const tags = ["latest", "1.4", "1.10.0", "v1.9.0", "1.4.1", "2.0.0-rc.1", "sha-1.2.3", "01.2.3", "1.4.0"];

  test("are whole versions, newest first by number", () => {
    expect(selectReleases(tags)).toEqual(["1.10.0", "v1.9.0", "1.4.1", "1.4.0"]);
  });

  test("of a range are those in it, of any other tag all", () => {
    const releases = selectReleases(tags);
    expect(releasesOf("1.4", releases)).toEqual(["1.4.1", "1.4.0"]);
    expect(releasesOf("1", releases)).toEqual(releases);
    expect(releasesOf("main", releases)).toEqual(releases);
  });
});
