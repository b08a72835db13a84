// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { LockedTool } from "../catalog/index.ts";
import type { Lockfile } from "../workspace/index.ts";
import { planBuild } from "./plan.ts";

describe("planBuild", () => {
  test("orders tools least recently changed first, and by name where they changed together", () => {
    const lock = lockOf({
      tools: [toolOf("yq", "2026-03-01"), toolOf("helm", "2026-01-01"), toolOf("jq", "2026-01-01")],
      images: { k8s: { tools: ["yq", "jq", "helm"] } },
    });
    expect(layerNames(lock, "k8s")).toEqual(["base", "helm", "jq", "yq"]);
  });

  test("puts the parent's layers first, as a prefix, whatever changed later", () => {
    const lock = lockOf({
      tools: [toolOf("helm", "2026-05-01"), toolOf("aws", "2026-01-01"), toolOf("jq", "2026-02-01")],
      images: { k8s: { tools: ["helm", "jq"] }, aws: { extends: "k8s", tools: ["helm", "jq", "aws"] } },
    });
    expect(layerNames(lock, "aws")).toEqual(["base", "jq", "helm", "aws"]);
    const [aws, k8s] = planBuild(lock).images;
    expect(aws?.platforms[0]?.layers.slice(0, 3)).toEqual(k8s?.platforms[0]?.layers);
  });

  test("compresses as the lock says, at the level that it names or the usual one", () => {
    const lock = lockOf({ tools: [toolOf("jq")], images: { k8s: { tools: ["jq"] } } });
    const usual = { algorithm: "gzip", level: 6 } as const;
    const fast = { algorithm: "gzip", level: 2 } as const;
    expect(planBuild(lock).compression).toEqual(usual);
    expect(keysOf(lock)).toEqual(keysOf(lock, usual));
    expect(planBuild({ ...lock, compression: fast }).compression).toEqual(fast);
    expect(keysOf({ ...lock, compression: fast })).toEqual(keysOf(lock, fast));
    expect(keysOf(lock)).not.toEqual(keysOf(lock, fast));
  });

  test("gives a layer another key when its entry, its platform or the compression changes, and only then", () => {
    const lock = lockOf({
      tools: [toolOf("helm"), toolOf("jq")],
      images: { k8s: { tools: ["helm", "jq"] } },
    });
    const bumped = lockOf({
      tools: [toolOf("helm", "2026-07-01", "9"), toolOf("jq")],
      images: { k8s: { tools: ["jq", "helm"], title: "Other" } },
    });
    const [before, after] = [keysOf(lock), keysOf(bumped)];
    expect(after.get("jq linux/amd64")).toBe(before.get("jq linux/amd64"));
    expect(after.get("base linux/amd64")).toBe(before.get("base linux/amd64"));
    expect(after.get("helm linux/amd64")).not.toBe(before.get("helm linux/amd64"));
    expect(new Set(before.values()).size).toBe(before.size);
    expect(keysOf(lock, { algorithm: "gzip", level: 9 }).get("jq linux/amd64")).not.toBe(
      before.get("jq linux/amd64"),
    );
  });

  test("ties the key of a Debian tool to the base, and no other tool's", () => {
    const tools = [toolOf("helm"), debianTool("jq", 10)];
    const images = { k8s: { tools: ["helm", "jq"] } };
    const before = keysOf(lockOf({ tools, images }));
    const after = keysOf(lockOf({ tools, images, suite: "sid" }));
    expect(after.get("helm linux/amd64")).toBe(before.get("helm linux/amd64"));
    expect(after.get("jq linux/amd64")).not.toBe(before.get("jq linux/amd64"));
  });

  test("past the budget the smallest tools share one layer, on both platforms alike", () => {
    const tools = Array.from({ length: 80 }, (_, index) => debianTool(`tool${index}`, 1000 + index));
    const lock = lockOf({ tools, images: { all: { tools: tools.map(({ name }) => name) } } });
    const [amd64, arm64] = planBuild(lock).images[0]?.platforms ?? [];
    expect(amd64?.layers).toHaveLength(61);
    const shared = amd64?.layers.find(({ name }) => name === "shared");
    expect(shared?.tools).toEqual(
      tools
        .slice(0, 21)
        .map(({ name }) => name)
        .sort(),
    );
    expect(arm64?.layers.find(({ name }) => name === "shared")?.tools).toEqual(shared?.tools);
  });

  test("refuses a chain of images that cannot fit into 100 layers", () => {
    const tools = Array.from({ length: 120 }, (_, index) => toolOf(`tool${index}`));
    const names = tools.map(({ name }) => name);
    const images = Object.fromEntries(
      names.map((_, index) => [
        `image${index}`,
        { tools: names.slice(0, index + 1), ...(index > 0 && { extends: `image${index - 1}` }) },
      ]),
    );
    const lock = lockOf({ tools, images });
    expect(planBuild(lock, { images: ["image97"] }).images[0]?.platforms[0]?.layers).toHaveLength(99);
    expect(() => planBuild(lock)).toThrow(expect.objectContaining({ code: "LAYER_LIMIT_EXCEEDED" }));
  });

  test.each([
    ["an image that is not there", { images: ["k8"] }, "IMAGE_NOT_FOUND", 'Did you mean "k8s"?'],
    ["a platform that is not locked", { platforms: ["linux/arm64"] }, "PLATFORM_UNAVAILABLE", "linux/amd64"],
  ] as const)("refuses %s", (_, options, code, hint) => {
    const lock = { ...lockOf({ tools: [toolOf("jq")], images: { k8s: { tools: ["jq"] } } }) };
    const small: Lockfile = { ...lock, platforms: ["linux/amd64"] };
    expect(() => planBuild(small, options)).toThrow(
      expect.objectContaining({ code, hint: expect.stringContaining(hint) }),
    );
  });

  test("names the tool, the image and the platform where a tool has no source for one", () => {
    const tool = toolOf("jq");
    const partial = { ...tool, platforms: { "linux/amd64": tool.platforms["linux/amd64"] } } as LockedTool;
    const lock = lockOf({ tools: [partial], images: { k8s: { tools: ["jq"] } } });
    expect(() => planBuild(lock)).toThrow('tool "jq" of image "k8s" has no "linux/arm64"');
  });

  test("refuses images that extend each other", () => {
    const lock = lockOf({
      tools: [],
      images: { a: { extends: "b", tools: [] }, b: { extends: "a", tools: [] } },
    });
    expect(() => planBuild(lock)).toThrow('images extend each other: "a" -> "b" -> "a"');
  });

  test("is plain data, the same each time", () => {
    const lock = lockOf({ tools: [toolOf("helm")], images: { k8s: { tools: ["helm"] } } });
    const plan = planBuild(lock);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(planBuild(lock));
  });

  test("plans 500 tools in 100 images within a second", () => {
    const tools = Array.from({ length: 500 }, (_, index) => debianTool(`tool${index}`, index));
    const names = tools.map(({ name }) => name);
    const images = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [
        `image${index}`,
        { tools: names, ...(index % 2 === 1 && { extends: `image${index - 1}` }) },
      ]),
    );
    const lock = lockOf({ tools, images });
    const start = performance.now();
    expect(planBuild(lock).images).toHaveLength(100);
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

function layerNames(lock: Lockfile, image: string): readonly string[] | undefined {
  return planBuild(lock, { images: [image] }).images[0]?.platforms[0]?.layers.map(({ name }) => name);
}

function keysOf(lock: Lockfile, compression?: { algorithm: "gzip"; level: number }): Map<string, string> {
  const layers = planBuild(lock, { compression }).images.flatMap(({ platforms }) =>
    platforms.flatMap(({ layers }) => layers),
  );
  return new Map(layers.map(({ name, platform, key }) => [`${name} ${platform}`, key]));
}

function toolOf(name: string, changed = "2026-01-01", version = "1.0.0"): LockedTool {
  const entry = {
    source: "file",
    path: `bin/${name}`,
    binary: name,
    file: { name, sha256: version.padEnd(64, "0"), size: 10 },
  } as const;
  return {
    name,
    version,
    changed: `${changed}T00:00:00Z`,
    about: {
      summary: name,
      homepage: "https://example.com",
      license: "MIT",
      binaries: [name],
      version: { args: [], contains: version },
      examples: [],
    },
    platforms: { "linux/amd64": entry, "linux/arm64": entry },
  };
}

function debianTool(name: string, size: number): LockedTool {
  const entry = (architecture: string) =>
    ({
      source: "debian",
      packages: [{ name, version: "1", architecture, path: `pool/${name}`, sha256: "0".repeat(64), size }],
    }) as const;
  return { ...toolOf(name), platforms: { "linux/amd64": entry("amd64"), "linux/arm64": entry("arm64") } };
}

interface LockParts {
  readonly tools: readonly LockedTool[];
  readonly images: Lockfile["images"];
  readonly suite?: string;
}

function lockOf({ tools, images, suite = "trixie" }: LockParts): Lockfile {
  const packages = [
    { name: suite, version: "1", architecture: "all", path: "pool/x", sha256: "0".repeat(64), size: 1 },
  ];
  return {
    lockVersion: 1,
    workspace: "0".repeat(64),
    platforms: ["linux/amd64", "linux/arm64"],
    base: {
      kind: "debian",
      suite,
      packages: [],
      platforms: { "linux/amd64": packages, "linux/arm64": packages },
    },
    compression: "gzip",
    tools: Object.fromEntries(tools.map((tool) => [tool.name, tool])),
    wishes: {},
    images,
  };
}
