// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Candidate, listCandidates, selectCandidates } from "./candidates.ts";
import { parseCoreMetadata } from "./core-metadata.ts";
import { describeDemand } from "./demand.ts";
import type { IndexedFile } from "./index-page.ts";
import { parseRequirement } from "./requirement.ts";
import { type ReleaseIndex, resolveRequirements } from "./resolver.ts";
import { satisfiesSpecifiers } from "./specifier.ts";
import { describeEnvironment, type TargetPython } from "./target-python.ts";
import { parsePythonVersion } from "./version.ts";

const TARGET: TargetPython = { platform: "linux/amd64", version: "3.13.5", series: [3, 13], glibc: [2, 41] };

/** Releases by `name version`, each with what it requires. */
type World = Readonly<Record<string, readonly string[]>>;

describe("the resolver", () => {
  test("takes the newest of everything that is needed, and nothing else", async () => {
    const world = {
      "a 1": ["b"],
      "a 2": ["b>=1", "c; extra == 'x'"],
      "b 1": [],
      "b 2": [],
      "c 1": [],
      "z 1": [],
    };
    expect(await resolve(world, "a")).toEqual(["a 2", "b 2"]);
  });

  test("keeps the nearer one new and takes an older one of what it shares", async () => {
    const world = { "a 1": ["c", "b"], "b 1": ["c"], "b 2": ["c<2"], "c 1": [], "c 2": [] };
    expect(await resolve(world, "a")).toEqual(["a 1", "b 2", "c 1"]);
  });

  test("goes back to an older release where the newest excludes another", async () => {
    const world = { "a 1": ["b", "c>=2"], "b 1": ["c"], "b 2": ["c<2"], "c 1": [], "c 2": [], "c 3": [] };
    expect(await resolve(world, "a")).toEqual(["a 1", "b 1", "c 3"]);
  });

  test("adds what extras need, of the same release", async () => {
    const world = {
      "a 1": ["b[x,y]"],
      "b 1": ["c; extra == 'x'"],
      "b 2": ["d; extra == 'y'", "c>1; extra == 'x'"],
      "c 1": [],
      "d 1": [],
    };
    expect(await resolve(world, "a")).toEqual(["a 1", "b 1", "c 1"]);
    expect(await resolve({ ...world, "c 2": [] }, "a")).toEqual(["a 1", "b 2", "c 2", "d 1"]);
  });

  test("closes circles", async () => {
    expect(await resolve({ "a 1": ["b"], "b 1": ["a"] }, "a")).toEqual(["a 1", "b 1"]);
  });

  test("does not forget what a dropped release needed, nor keeps it", async () => {
    const world = { "a 1": ["b", "c"], "b 1": [], "b 2": ["d"], "c 1": ["b<2"], "d 1": [] };
    expect(await resolve(world, "a")).toEqual(["a 1", "b 1", "c 1"]);
  });

  test("finds its way past many releases that exclude each other", async () => {
    const world: Record<string, string[]> = { "a 1": ["b", "c", "d"], "d 1": ["e<1"], "e 0.5": [] };
    for (let version = 1; version <= 20; version += 1) {
      world[`b ${version}`] = [`c>=${version}`];
      world[`c ${version}`] = [`e${version === 1 ? "<1" : ">=1"}`];
      world[`e ${version}`] = [];
    }
    expect(await resolve(world, "a")).toEqual(["a 1", "b 1", "c 1", "d 1", "e 0.5"]);
  });

  test("names the chains that exclude each other", async () => {
    const world = { "a 1": ["b", "c"], "b 1": ["d>=2"], "c 1": ["d<2"], "d 1": [], "d 2": [] };
    await expect(resolve(world, "a")).rejects.toThrow(
      '"b" 1 (for "a" 1) wants "d>=2", "c" 1 (for "a" 1) wants "d<2"',
    );
  });

  test("names what is not there at all", async () => {
    await expect(resolve({ "a 1": ["gone>3"] }, "a")).rejects.toThrow('"a" 1 wants "gone>3"');
  });

  test("refuses what is to come from an address", async () => {
    const world = { "a 1": ["b @ https://example.com/b.whl"], "b 1": [] };
    await expect(resolve(world, "a")).rejects.toThrow('"a" 1 wants "b"');
  });

  test("finds an answer exactly where one exists, and it holds", async () => {
    const clause = fc.constantFrom("", ">=2", "<2", "==1", ">=3", "<3", "!=2");
    const requirement = fc.tuple(fc.constantFrom("b", "c", "d", "e"), clause).map((parts) => parts.join(""));
    const release = fc.array(requirement, { maxLength: 2 });
    const names = [
      "a 1",
      ...["b", "c", "d", "e"].flatMap((name) => [1, 2, 3].map((version) => `${name} ${version}`)),
    ];
    const worlds = fc
      .tuple(...names.map(() => release))
      .map((lists) => Object.fromEntries(names.map((name, index) => [name, lists[index] ?? []])));
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const found = await resolve(world, "a").catch(() => undefined);
        if (found !== undefined) expect(holds(world, found)).toBe(true);
        expect(found !== undefined).toBe(
          subsets(names).some((each) => each.includes("a 1") && holds(world, each)),
        );
      }),
      { numRuns: 100 },
    );
  });
});

async function resolve(world: World, root: string): Promise<readonly string[]> {
  const requirement = parseRequirement(root);
  if (requirement === undefined) throw new Error("no requirement");
  const chosen = await resolveRequirements([requirement], describeEnvironment(TARGET), openWorld(world));
  return chosen.map(nameOf);
}

function openWorld(world: World): ReleaseIndex {
  const projects = new Set(Object.keys(world).map((release) => release.split(" ")[0] ?? ""));
  const known = new Map([...projects].map((project) => [project, candidatesIn(world, project)]));
  return {
    findCandidates: async (project, specifiers) => selectCandidates(known.get(project) ?? [], specifiers),
    readMetadata: async (candidate) => {
      const { project, version } = candidate;
      const requires = (world[nameOf(candidate)] ?? []).map((text) => `Requires-Dist: ${text}\n`).join("");
      return parseCoreMetadata(`Name: ${project}\nVersion: ${version.text}\n${requires}`);
    },
    describeConflict: async (demands) => new Error(demands.map(describeDemand).join(", ")),
  };
}

function candidatesIn(world: World, project: string): readonly Candidate[] {
  const releases = Object.keys(world).filter((release) => release.split(" ")[0] === project);
  return listCandidates(project, releases.map(fileOf), TARGET);
}

function fileOf(release: string): IndexedFile {
  return {
    name: `${release.replace(" ", "-")}-py3-none-any.whl`,
    url: "",
    sha256: "0".repeat(64),
    yanked: false,
  };
}

function nameOf({ project, version }: Candidate): string {
  return `${project} ${version.text}`;
}

/** Every way to take at most one release of each project. */
function subsets(names: readonly string[]): readonly (readonly string[])[] {
  const projects = [...new Set(names.map((name) => name.split(" ")[0]))];
  return projects.reduce<readonly (readonly string[])[]>(
    (sets, project) =>
      sets.flatMap((set) => [
        set,
        ...names.filter((name) => name.split(" ")[0] === project).map((name) => [...set, name]),
      ]),
    [[]],
  );
}

/** Whether every requirement of what is chosen is met by what is chosen. */
function holds(world: World, chosen: readonly string[]): boolean {
  return chosen.every((release) =>
    (world[release] ?? []).every((text) => {
      const requirement = parseRequirement(text);
      const other = chosen.find((each) => each.split(" ")[0] === requirement?.project);
      const version = parsePythonVersion(other?.split(" ")[1] ?? "");
      return version !== undefined && satisfiesSpecifiers(version, requirement?.specifiers ?? []);
    }),
  );
}
