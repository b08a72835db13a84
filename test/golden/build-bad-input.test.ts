// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileEntryOf } from "../../src/archive/index.ts";
import { applyBuild, type BuildContext, planBuild } from "../../src/build/index.ts";
import { type LayoutStore, openLayoutStore } from "../../src/oci/index.ts";
import { createTestSources, elfProgram, lockOf, type TestSources } from "../support/small-build.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-bad-build-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("a build refuses", () => {
  test("an amd64 program that poses as arm64, naming tool, path and what was found", async () => {
    const { context, sources } = await open("cpu");
    sources.programs.set("hello", () => elfProgram(62, "hello"));
    await expect(applyBuild(planBuild(lockOf()), context)).rejects.toMatchObject({
      code: "BINARY_WRONG_PLATFORM",
      message: 'tool "hello" has "usr/local/bin/hello" for linux/arm64, but that file is built for amd64',
    });
  });

  test("a program that is linked against another C library than the base has", async () => {
    const { context, sources } = await open("libc");
    sources.programs.set("hello", (platform) =>
      elfProgram(platform === "linux/arm64" ? 183 : 62, "hello", "/lib/ld-musl-x86_64.so.1"),
    );
    await expect(applyBuild(planBuild(lockOf()), context)).rejects.toMatchObject({
      code: "BINARY_WRONG_LIBC",
      message: expect.stringMatching(/^tool "hello" has "usr\/local\/bin\/hello".* musl.* base is glibc$/),
    });
    sources.extras.set("hello", [fileEntryOf("lib64/ld-musl-x86_64.so.1", "loader")]);
    const { context: other } = await open("libc-brought");
    await expect(applyBuild(planBuild(lockOf()), { ...other, sources })).resolves.toHaveProperty("images");
  });

  test.each([
    [
      "the same file",
      "usr/share/same",
      "usr/share/same",
      /tool "hello" and tool "words" both own "usr\/share\/same"/,
    ],
    [
      "a file where the other needs a directory",
      "usr/share/x",
      "usr/share/x/y",
      /tool "words" has "usr\/share\/x\/y", but "usr\/share\/x" of tool "hello" is not/,
    ],
    [
      "a file below a link of the base",
      "usr/share/one",
      "bin/two",
      /tool "words" has "bin\/two", but "bin" of the base is not a directory/,
    ],
    [
      "a file of toolbox itself",
      "usr/local/bin/toolbox-help",
      "usr/share/two",
      /tool "hello" and toolbox itself both own "usr\/local\/bin\/toolbox-help"/,
    ],
  ])("two tools that bring %s", async (_, one, two, message) => {
    const { context, store, sources } = await open(`conflict ${one} ${two}`);
    sources.extras.set("hello", [fileEntryOf(one, "same")]);
    sources.extras.set("words", [fileEntryOf(two, "same")]);
    await expect(applyBuild(planBuild(lockOf()), context)).rejects.toMatchObject({
      code: "PATH_CONFLICT",
      message: expect.stringMatching(message),
    });
    expect(await store.listTags()).toEqual([]);
  });

  test("two small tools that own the same file even where they share a layer", async () => {
    const { context, sources } = await open("shared");
    const lock = lockOf();
    const names = Array.from({ length: 70 }, (_, index) => `tool${index}`);
    const tool = lock.tools["hello"] ?? fail();
    const locked = names.map((name) => {
      const entry = {
        source: "file",
        path: name,
        binary: name,
        file: { name, sha256: "0".repeat(64), size: 1 },
      } as const;
      sources.extras.set(
        name,
        name === "tool0" || name === "tool1" ? [fileEntryOf("usr/share/same", "same")] : [],
      );
      return [name, { ...tool, name, platforms: { "linux/amd64": entry, "linux/arm64": entry } }] as const;
    });
    const many = { ...lock, tools: Object.fromEntries(locked), images: { many: { tools: names } } };
    await expect(applyBuild(planBuild(many), context)).rejects.toMatchObject({
      code: "PATH_CONFLICT",
      message: 'tool "tool0" and tool "tool1" both own "usr/share/same"',
    });
  });
});

describe("a build that is stopped", () => {
  test("leaves no image and no temporary file, and the next run succeeds with the same digest", async () => {
    const { context, store, sources } = await open("stopped");
    const controller = new AbortController();
    const slow: TestSources = {
      ...sources,
      readTool: async (locked, platform, options) => {
        const files = await sources.readTool(locked, platform, options);
        controller.abort(new Error("stopped"));
        return files;
      },
    };
    const stopped = applyBuild(planBuild(lockOf()), { ...context, sources: slow, signal: controller.signal });
    await expect(stopped).rejects.toThrow("stopped");
    expect(await store.listTags()).toEqual([]);
    expect(await filesNamed(/tmp|ingest\//, join(folder, "stopped"))).toEqual([]);
    const report = await applyBuild(planBuild(lockOf()), context);
    const { context: fresh } = await open("never-stopped");
    const expected = await applyBuild(planBuild(lockOf()), fresh);
    expect(report.images[0]?.index).toEqual(expected.images[0]?.index);
  });

  test("keeps the image of before when a later one cannot be made", async () => {
    const { context, store, sources } = await open("kept");
    const before = await applyBuild(planBuild(lockOf()), context);
    sources.programs.set("hello", () => elfProgram(62, "hello"));
    await expect(applyBuild(planBuild(lockOf({ hello: "2.0.0" })), context)).rejects.toThrow();
    const tagged = await store.resolveManifest("example.com/team/tooling:latest");
    expect(tagged.digest).toBe(before.images[0]?.index.digest);
  });
});

interface Opened {
  readonly store: LayoutStore;
  readonly context: BuildContext;
  readonly sources: TestSources;
}

async function open(name: string): Promise<Opened> {
  const place = join(folder, name.replaceAll("/", "_"));
  const store = await openLayoutStore(join(place, "store"));
  const sources = createTestSources();
  return { store, sources, context: { store, cacheDir: join(place, "cache"), sources } };
}

async function filesNamed(pattern: RegExp, place: string): Promise<readonly string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(place.length))
    .filter((path) => pattern.test(path));
}

function fail(): never {
  throw new TypeError("the lock for tests has changed");
}
