// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { HOSTS, NODE_VERSIONS } from "../../scripts/sameness/hosts.mjs";
import { findDifferences, tableRows } from "../../scripts/sameness/results.mjs";
import { readSource } from "./source-tree.ts";

const FACTS = {
  node: "20.20.2",
  arch: "x64",
  cpus: 2,
  uid: 0,
  umask: "022",
  locale: "en-US",
  zone: "UTC",
  home: "/root",
  hostname: "here",
  folder: "/tmp/first",
  listing: ["b", "a", "c"],
};
const FIRST = { name: "first", facts: FACTS, built: [built("small", { small: "sha256:aa" })] };

test("docs/sameness.md explains every host, and all Node.js versions are tried", () => {
  const page = readSource("docs/sameness.md");
  const named = [...page.matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name);
  for (const { name } of HOSTS) expect(named).toContain(name);
  const majors = new Set(HOSTS.map(({ major }) => major));
  for (const major of Object.keys(NODE_VERSIONS)) expect(majors).toContain(Number(major));
});

test("the table tells of each host what it says of itself, and of one that was not run why", () => {
  const facts = {
    ...FACTS,
    node: "24.0.0",
    cpus: 1,
    umask: "077",
    zone: "Pacific/Kiritimati",
    folder: "/else",
  };
  const rows = tableRows(
    [
      FIRST,
      { name: "other", facts, built: [built("small", { small: "sha256:aa" })] },
      { name: "none", built: [], reason: "needs qemu" },
      { name: "again", facts: { ...FACTS, folder: "/again" }, built: [], notes: ["another program"] },
    ],
    ["small"],
    { seconds: true },
  );
  expect(rows[2]?.slice(0, 3)).toEqual(["other", "24.0.0", "aa (1 s)"]);
  expect(rows[2]?.at(-1)).toBe("another folder, 1 CPU, umask 077, Pacific/Kiritimati");
  expect(rows[3]?.at(-1)).toBe("not run: needs qemu");
  expect(rows[4]?.at(-1)).toBe("another folder; another program");
});

test("an image that has another digest is a difference, in the workspace that it belongs to", () => {
  const other = [built("small", { small: "sha256:aa" }), built("images", { a: "sha256:cc", b: "sha256:bb" })];
  const first = [...FIRST.built, built("images", { a: "sha256:bb", b: "sha256:bb" })];
  expect(findDifferences(first, first)).toEqual([]);
  expect(findDifferences(first, other)).toEqual([{ image: "a", from: "sha256:bb", to: "sha256:cc" }]);
});

function built(workspace: string, digests: Readonly<Record<string, string>>) {
  return { workspace, seconds: 1, digests: { ...digests } };
}
