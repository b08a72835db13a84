// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fileEntryOf, sortEntries } from "../archive/index.ts";
import type { ExecStep } from "../catalog/index.ts";
import { collectBytes } from "../core/byte-stream.ts";
import type { Platform } from "../core/platform.ts";
import { openLayoutStore } from "../oci/index.ts";
import { type ExecStepsContext, runExecSteps } from "./exec-steps.ts";
import type { OwnedFiles } from "./layer-files.ts";
import { createLayerRecord } from "./layer-record.ts";
import type { PlannedLayer } from "./plan.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-steps-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const STEPS: readonly ExecStep[] = [{ script: "make-cache", writes: ["var/cache/x"] }];

describe("a step", () => {
  test("gives its folder to the layer, whatever the mode and owner of files are, and runs once", async () => {
    const scripts: string[] = [];
    const context = await contextOf(async (target, script) => {
      scripts.push(script);
      await writeFile(join(target, "list"), "made\n", { mode: 0o600 });
      await writeFile(join(target, "run"), "#!/bin/sh\n", { mode: 0o700 });
      await symlink("list", join(target, "link"));
      await rm(join(target, "old"));
    });
    const first = await runExecSteps(layerFor("linux/amd64"), FILES, STEPS, context);
    expect(await describeEntries(first)).toEqual([
      "usr 755",
      "usr/bin 755",
      "usr/bin/x 755 x",
      "var 755",
      "var/cache 755",
      "var/cache/x 755",
      "var/cache/x/link 777",
      "var/cache/x/list 644 made\n",
      "var/cache/x/run 755 #!/bin/sh\n",
    ]);
    const other = await runExecSteps(layerFor("linux/arm64"), FILES, STEPS, context);
    expect(await describeEntries(other)).toEqual(await describeEntries(first));
    expect(scripts).toEqual(["make-cache"]);
    expect((await readdir(join(folder, "cache", "steps"))).filter((name) => name.startsWith("run-"))).toEqual(
      [],
    );
  });

  test("whose result is machine code is refused for another CPU, not for its own", async () => {
    const context = await contextOf(async (target) => {
      await writeFile(join(target, "plugin.so"), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]));
    });
    await expect(runExecSteps(layerFor("linux/arm64"), FILES, STEPS, context)).rejects.toMatchObject({
      code: "PLATFORM_UNAVAILABLE",
      message:
        'tool "x" has a step whose result "var/cache/x/plugin.so" is machine code of linux/amd64, so it cannot be used for linux/arm64',
    });
    const own = await runExecSteps(layerFor("linux/amd64"), FILES, STEPS, context);
    expect(own.entries.map(({ path }) => path)).toContain("var/cache/x/plugin.so");
  });

  test("is refused where nothing can be run", async () => {
    const context = { ...(await contextOf(async () => {})), runner: undefined };
    await expect(runExecSteps(layerFor("linux/arm64"), FILES, STEPS, context)).rejects.toMatchObject({
      code: "PLATFORM_UNAVAILABLE",
      message: 'tool "x" has to run a step for linux/arm64, and nothing can be run here',
    });
  });

  test("may not write where files of the base are", async () => {
    const context = await contextOf(async () => {});
    const steps = [{ script: "true", writes: ["usr/bin"] }];
    await expect(runExecSteps(layerFor("linux/amd64"), FILES, steps, context)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: 'tool "x" has a step that writes a folder of the base, where "usr/bin/sh" is',
    });
  });

  test("that fails leaves nothing behind, and is run again", async () => {
    let runs = 0;
    const context = await contextOf(async (target) => {
      runs += 1;
      await writeFile(join(target, "half"), "");
      if (runs === 1) throw new TypeError("the first time");
    });
    await expect(runExecSteps(layerFor("linux/amd64"), FILES, STEPS, context)).rejects.toThrow("the first");
    expect(await readdir(join(folder, "cache", "steps"))).toEqual([]);
    await runExecSteps(layerFor("linux/amd64"), FILES, STEPS, context);
    expect(runs).toBe(2);
  });
});

const FILES: OwnedFiles = {
  entries: sortEntries([
    fileEntryOf("usr/bin/x", "x", { mode: 0o755 }),
    fileEntryOf("var/cache/x/old", "of the package"),
  ]),
  packages: [],
  ownerOf: () => 'tool "x"',
};

function layerFor(platform: Platform): PlannedLayer {
  return { kind: "tool", name: "x", key: `sha256:${platform}`, platform, tools: ["x"] };
}

/** A machine of amd64 whose programs are `work`, which sees the step's only folder. */
async function contextOf(work: (target: string, script: string) => Promise<void>): Promise<ExecStepsContext> {
  const base = createLayerRecord({
    key: "base",
    blobs: [],
    packages: [],
    files: { "usr/bin/sh": "file" },
    libcs: {},
    captured: {},
  });
  return {
    cacheDir: join(folder, "cache"),
    store: await openLayoutStore(join(folder, "store")),
    planFor: layerFor,
    buildBase: async () => base,
    readFiles: async () => FILES,
    runner: {
      platform: "linux/amd64",
      run: async ({ script, folders }) => work(folders[0]?.source ?? "", script),
    },
  };
}

async function describeEntries({ entries }: OwnedFiles): Promise<readonly string[]> {
  return Promise.all(
    entries.map(async (entry) => {
      const text =
        entry.type === "file" ? ` ${Buffer.from(await collectBytes(entry.open())).toString()}` : "";
      return `${entry.path} ${entry.mode.toString(8)}${text}`;
    }),
  );
}
