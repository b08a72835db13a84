// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { applyBuild, planBuild } from "../../src/build/index.ts";
import { runProgram } from "../../src/cli/program.ts";
import type { Platform } from "../../src/core/platform.ts";
import { openLayoutStore } from "../../src/oci/index.ts";
import { LOCK_FILE, writeLockfile } from "../../src/workspace/index.ts";
import { createTestSources, lockOf } from "../support/small-build.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-publish-"));
  await writeLockfile(join(folder, LOCK_FILE), lockOf());
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("publish, before anything is sent,", () => {
  test("takes an image that was built for all platforms of the lock", async () => {
    const digest = await build();
    expect(await publish()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(digest) });
  });

  test("refuses one that was last built for fewer, unless that is what is asked for", async () => {
    await build();
    const digest = await build("linux/arm64");
    const { exitCode, stderr } = await publish();
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('image "tooling" was not built for linux/amd64 [PLATFORM_UNAVAILABLE]');
    expect(stderr).toContain("Run `toolbox build`, or say");
    expect(await publish("--platform", "arm64")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(digest),
    });
    await build();
    expect(await publish()).toMatchObject({ exitCode: 0 });
  });

  test("refuses one that was built for more than is asked for", async () => {
    await build();
    const { exitCode, stderr } = await publish("--platform", "linux/arm64");
    expect(exitCode).toBe(2);
    expect(stderr).toContain('image "tooling" was built for linux/amd64 too');
  });
});

/** Builds into the store that {@link publish} reads. @returns the digest of the index */
async function build(...platforms: readonly Platform[]): Promise<string> {
  const store = await openLayoutStore(join(folder, "store"));
  const context = { store, cacheDir: join(folder, "cache"), sources: createTestSources() };
  const plan = planBuild(lockOf(), platforms.length === 0 ? {} : { platforms });
  return (await applyBuild(plan, context)).images[0]?.index.digest ?? "nothing";
}

async function publish(...more: readonly string[]) {
  const texts = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({
    write: (text: string) => void (texts[name] += text),
    flush: async () => {},
  });
  const exitCode = await runProgram(["publish", "--dry-run", ...more], {
    cwd: folder,
    env: { TOOLBOX_STORE: join(folder, "store") },
    home: folder,
    stdout: output("stdout"),
    stderr: output("stderr"),
    terminal: { stdin: false, stdout: false, stderr: false },
    columns: () => 80,
    interruptions: { signal: new AbortController().signal, release: () => {} },
  });
  return { exitCode, ...texts };
}
