// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  makeFolder,
  outputOf,
  type ProgramResult,
  runProgram,
  type TemporaryFolder,
} from "../support/programs.ts";
import { canStartDocker, startDocker } from "../support/programs-docker.ts";
import { buildQuickstart, QUICKSTART } from "../support/programs-toolbox.ts";

let temporary: TemporaryFolder;
beforeAll(async () => {
  temporary = await makeFolder("tour");
  await buildQuickstart();
});
afterAll(async () => temporary?.remove());

/** Without docker unless a test brings its own. */
const NO_DOCKER = { DOCKER_HOST: "unix:///nonexistent" };

const run = async (
  env: Readonly<Record<string, string>> = NO_DOCKER,
  onStart?: (stop: () => void) => void,
): Promise<ProgramResult> =>
  runProgram(process.execPath, [join(QUICKSTART, "run.mjs")], {
    timeout: 900_000,
    env: { TMPDIR: temporary.path, CONTAINER_HOST: undefined, ...env },
    onStart: (child) => onStart?.(() => child.kill("SIGINT")),
  });

describe("the quickstart", () => {
  test("lints the chart out of the image it pulled, and shows that one tool's layer moved", async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("1 chart(s) linted, 0 chart(s) failed");
    expect(stdout).toMatch(/Client Version: v1\.32\./);
    expect(stdout).toMatch(/^jq-1\.7/m);
    const rows = stdout.split("\n").filter((line) => /^ +linux\/(?:amd64|arm64) /.test(line));
    const moved = rows.filter((line) => line.endsWith("moved")).map((line) => line.trim().split(/ +/)[1]);
    expect(moved).toEqual(["yq", "top", "yq", "top"]);
    expect(rows.filter((line) => line.endsWith("same"))).toHaveLength(8);
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  test.runIf(canStartDocker())("uses docker where it runs, and leaves nothing in it", async () => {
    const docker = await startDocker();
    try {
      const { code, stdout } = await run(docker.env);
      expect(code).toBe(0);
      expect(stdout).toContain("1 chart(s) linted, 0 chart(s) failed");
      expect(stdout).toMatch(/^ *engine +docker$/m);
      expect(await outputOf("docker", ["images", "--all", "--quiet"], { env: docker.env })).toBe("");
      expect(await outputOf("docker", ["ps", "--all", "--quiet"], { env: docker.env })).toBe("");
    } finally {
      await docker.stop();
    }
  });

  test("cleans up after Ctrl-C", async () => {
    await mkdir(temporary.path, { recursive: true });
    const { code, stderr } = await run(NO_DOCKER, (stop) => {
      const timer = setInterval(() => {
        if (readdirSync(temporary.path).length === 0) return;
        clearInterval(timer);
        stop();
      }, 20);
    });
    expect(code).toBe(130);
    expect(stderr).toContain("interrupted by SIGINT");
    expect(readdirSync(temporary.path)).toEqual([]);
  });
});
