// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { type Packument, parsePackument } from "./packument.ts";
import { type ResolvedTree, resolvePackages } from "./resolver.ts";

type Fields = Readonly<Record<string, unknown>>;
/** Versions of packages by `name@version`. */
type Registry = Readonly<Record<string, Fields>>;

describe("a tree of packages", () => {
  test("has each package as high up as it gets into nobody's way, in its highest version", async () => {
    const registry = {
      "a@1.0.0": { dependencies: { b: "1", c: "*" } },
      "b@1.0.0": {},
      "b@1.1.0": {},
      "b@2.0.0": { dependencies: { c: "1" } },
      "c@1.0.0": {},
      "c@2.0.0": {},
    };
    expect(await pathsOf({ a: "1", b: "2" }, registry)).toEqual([
      "node_modules/a 1.0.0",
      "node_modules/a/node_modules/b 1.1.0",
      "node_modules/b 2.0.0",
      "node_modules/b/node_modules/c 1.0.0",
      "node_modules/c 2.0.0",
    ]);
  });

  test("replaces a package by a newer one that does for all", async () => {
    const registry = {
      "a@1.0.0": { dependencies: { x: "~1.0.0" } },
      "b@1.0.0": { dependencies: { a: "1", y: "1" } },
      "y@1.0.0": { dependencies: { z: "^1.2" } },
      "c@1.0.0": { dependencies: { z: "~1.1.0 || ~1.2.0" } },
      "x@1.0.0": {},
      "z@1.1.0": {},
      "z@1.2.0": {},
      "z@1.3.0": {},
    };
    expect(await pathsOf({ b: "1", c: "1" }, registry)).toEqual([
      "node_modules/a 1.0.0",
      "node_modules/b 1.0.0",
      "node_modules/c 1.0.0",
      "node_modules/x 1.0.0",
      "node_modules/y 1.0.0",
      "node_modules/z 1.2.0",
    ]);
  });

  test("may have cycles and aliases", async () => {
    const registry = {
      "a@1.0.0": { dependencies: { b: "1", old: "npm:b@0.9" } },
      "b@1.0.0": { dependencies: { a: "1" } },
      "b@0.9.0": {},
    };
    expect(await pathsOf({ a: "*" }, registry)).toEqual([
      "node_modules/a 1.0.0",
      "node_modules/b 1.0.0",
      "node_modules/old 0.9.0",
    ]);
  });

  test("leaves to an archive what it brings along", async () => {
    const registry = {
      "a@1.0.0": { dependencies: { b: "1", c: "1" }, bundleDependencies: ["b"] },
      "c@1.0.0": {},
    };
    expect(await pathsOf({ a: "1" }, registry)).toEqual(["node_modules/a 1.0.0", "node_modules/c 1.0.0"]);
  });
});

describe("a version", () => {
  const registry = {
    "a@1.0.0": {},
    "a@1.1.0": { deprecated: "broken" },
    "a@1.2.0": { engines: { node: ">=22" } },
    "a@2.0.0-rc.1": {},
  };

  test.each([
    ["is the latest where that is in the range", { a: "^1" }, { latest: "1.0.0" }, "1.0.0"],
    ["runs with the target's Node.js and is not deprecated", { a: "^1" }, {}, "1.0.0"],
    ["is a deprecated one where only those run", { a: ">=1.1" }, {}, "1.1.0"],
    ["is what is named", { a: "1.2.0" }, {}, "1.2.0"],
    ["is what a tag names", { a: "next" }, { next: "2.0.0-rc.1" }, "2.0.0-rc.1"],
  ])("%s", async (_, wishes, tags, version) => {
    expect(await pathsOf(wishes, registry, { a: tags })).toEqual([`node_modules/a ${version}`]);
  });

  test("that asks for another Node.js is noted where nothing else will do", async () => {
    const { notes } = await resolve({ a: "1.2.0" }, registry);
    expect(notes).toEqual(['"a" 1.2.0 asks for Node.js ">=22", here it is 20.19.2']);
  });
});

describe("packages that are optional", () => {
  test("are left out where they are not for the target, with what only they need", async () => {
    const registry = {
      "a@1.0.0": { optionalDependencies: { arm: "1", x64: "1", musl: "1", mac: "1", gone: "1", node: "1" } },
      "arm@1.0.0": { os: ["linux"], cpu: ["arm64"], libc: ["glibc"] },
      "x64@1.0.0": { os: ["linux"], cpu: ["x64"], dependencies: { only: "1" } },
      "musl@1.0.0": { libc: "musl" },
      "mac@1.0.0": { os: ["!linux"] },
      "node@1.0.0": { engines: { node: ">=22" } },
      "only@1.0.0": {},
    };
    expect(await pathsOf({ a: "1" }, registry)).toEqual(["node_modules/a 1.0.0", "node_modules/arm 1.0.0"]);
  });

  test("are left out where something that they need cannot be had", async () => {
    const registry = {
      "a@1.0.0": { optionalDependencies: { b: "1" } },
      "b@1.0.0": { dependencies: { c: "1", d: "git+ssh://git@example.com/d.git" } },
      "c@1.0.0": {},
    };
    expect(await pathsOf({ a: "1" }, registry)).toEqual(["node_modules/a 1.0.0"]);
  });
});

describe("peers", () => {
  test("come along, in a version that all accept, but not those that are optional", async () => {
    const registry = {
      "plugin@1.0.0": {
        peerDependencies: { host: "1 || 2", extra: "1" },
        peerDependenciesMeta: { extra: { optional: true } },
      },
      "other@1.0.0": { peerDependencies: { host: "^1" } },
      "host@1.5.0": {},
      "host@2.0.0": {},
      "extra@1.0.0": {},
    };
    expect(await pathsOf({ other: "1", plugin: "1" }, registry)).toEqual([
      "node_modules/host 1.5.0",
      "node_modules/other 1.0.0",
      "node_modules/plugin 1.0.0",
    ]);
  });

  test("stand beside what needs them, not below", async () => {
    const registry = {
      "a@1.0.0": { dependencies: { plugin: "1", host: "1" } },
      "plugin@1.0.0": { peerDependencies: { host: "1" } },
      "host@1.0.0": {},
      "host@2.0.0": {},
    };
    expect(await pathsOf({ a: "1", host: "2" }, registry)).toEqual([
      "node_modules/a 1.0.0",
      "node_modules/a/node_modules/host 1.0.0",
      "node_modules/a/node_modules/plugin 1.0.0",
      "node_modules/host 2.0.0",
    ]);
  });

  test("of what is wished that exclude each other are an error with both chains", async () => {
    const registry = {
      "plugin@1.0.0": { peerDependencies: { host: "^2" } },
      "host@1.0.0": {},
      "host@2.0.0": {},
    };
    await expect(resolve({ host: "1", plugin: "1" }, registry)).rejects.toMatchObject({
      code: "NPM_DEPENDENCY_UNMET",
      message: expect.stringMatching(
        /"host" .*"plugin" 1\.0\.0 wants "host@\^2" beside it, the tool's definition wants "host@1"/,
      ) as string,
    });
  });
});

test.each([
  [
    "is in no registry",
    { gone: "1" },
    /"gone" cannot be had: no registry has "gone"; "a" 1\.0\.0 > "b" 1\.0\.0 wants/,
  ],
  ["is in no version", { a: "7" }, /no version is in "7"/],
  ["is in a repository", { c: "user/c" }, /an address or a repository of its own.*wants "c@user\/c"/],
  [
    "is at an address",
    { c: "https://u:secret@example.com/c.tgz" },
    /^(?!.*secret).*wants "c@https:\/\/example\.com/,
  ],
  ["has a name that leads elsewhere", { "../../../bin": "npm:b@1" }, /wants "\.\.\/\.\.\/\.\.\/bin@npm:b@1"/],
  ["is a folder", { c: "file:../c" }, /wants "c@file:\.\.\/c"/],
])("a dependency that %s is an error that says who needs it", async (_, dependencies, message) => {
  const registry = { "a@1.0.0": { dependencies: { b: "1" } }, "b@1.0.0": { dependencies } };
  await expect(resolve({ a: "1" }, registry)).rejects.toMatchObject({
    code: "NPM_DEPENDENCY_UNMET",
    message: expect.stringMatching(message) as string,
  });
});

test("a package that is needed and not for the target is an error", async () => {
  const registry = { "a@1.0.0": { dependencies: { b: "1" } }, "b@1.0.0": { os: ["darwin"] } };
  await expect(resolve({ a: "1" }, registry)).rejects.toMatchObject({
    code: "PLATFORM_UNAVAILABLE",
    message: '"a" 1.0.0 > "b" 1.0.0 is not made for linux/arm64',
  });
});

type Tags = Readonly<Record<string, Readonly<Record<string, string>>>>;

async function resolve(
  wishes: Readonly<Record<string, string>>,
  registry: Registry,
  tags: Tags = {},
): Promise<ResolvedTree> {
  const target = { platform: "linux/arm64", version: "20.19.2" } as const;
  return await resolvePackages(wishes, target, {
    readPackument: async (name) => packumentOf(name, registry, tags[name] ?? {}),
  });
}

function packumentOf(name: string, registry: Registry, tags: Fields): Packument | undefined {
  const versions = Object.entries(registry).flatMap(([id, fields]) => {
    const [own, version] = id.split("@");
    return own === name ? [[version, { name, version, ...fields }] as const] : [];
  });
  if (versions.length === 0) return undefined;
  return parsePackument(
    name,
    JSON.stringify({ name, "dist-tags": tags, versions: Object.fromEntries(versions) }),
  );
}

async function pathsOf(
  wishes: Readonly<Record<string, string>>,
  registry: Registry,
  tags?: Tags,
): Promise<readonly string[]> {
  const { packages } = await resolve(wishes, registry, tags);
  return packages.map(({ path, manifest }) => `${path} ${manifest.version}`);
}
