// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasPrograms, runProgram } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { canRunArm64 } from "../support/programs-qemu.ts";
import { buildQuickstart, QUICKSTART, QUICKSTART_STORE, TOOLBOX } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

const FOREIGN = process.arch === "arm64" ? "linux/amd64" : "linux/arm64";

/** It brings a state of its own. */
let workspace: SmallWorkspace;
let docker: RunningDocker | undefined;
beforeAll(async () => {
  workspace = await makeWorkspace();
  docker = canStartDocker() ? await startDocker() : undefined;
});
afterAll(async () => {
  await docker?.stop();
  await workspace?.remove();
});

describe.runIf(process.getuid?.() === 0 && hasPrograms("unshare") && canRunArm64())(
  "programs of the other CPU",
  () => {
    beforeAll(async () => {
      await buildQuickstart();
    });

    test.each([["embedded"], ...(canStartDocker() ? [["docker"]] : [])])(
      "run by the kernel's rule, by %s",
      async (engine = "") => {
        const words = ["test", "--platform", FOREIGN, "--require-all", "--engine", engine, "-C", QUICKSTART];
        const env = { ...docker?.env, TOOLBOX_STORE: QUICKSTART_STORE };
        const { code, stdout, stderr } = await workspace.toolbox(words, { env });
        expect(code, `${stdout}${stderr}`).toBe(0);
      },
    );

    test.each(
      [["bubblewrap"], ["namespaces"], ["runc"]].filter(([name = ""]) => hasPrograms(PROGRAMS[name] ?? name)),
    )("run in the emulator that is shown inside, by %s", async (engine) => {
      const report = await testWithoutRule(
        process.env["PATH"] ?? "",
        "--tool",
        "jq,helm",
        "--engine",
        engine,
      );
      expect(report).toMatchObject({ failed: 0, notRun: 0 });
      expect(report.passed).toBeGreaterThan(3);
    });

    test("are not run where there is no emulator, and say so", async () => {
      // Nothing of qemu, but what the embedded runner needs is found all the same.
      const report = await testWithoutRule("/nonexistent", "--tool", "jq", "--engine", "namespaces");
      expect(report).toMatchObject({ passed: 0, failed: 0 });
      expect(report.results.map(({ reason }) => reason)).toContainEqual(
        expect.stringContaining("install qemu-user-static"),
      );
    });
  },
);

const PROGRAMS: Readonly<Record<string, string>> = { bubblewrap: "bwrap", namespaces: "unshare" };

interface TestReport {
  readonly passed: number;
  readonly results: readonly { readonly reason?: string }[];
}

/** In a mount namespace of its own, where the kernel's rules cannot be seen. */
async function testWithoutRule(path: string, ...words: readonly string[]): Promise<TestReport> {
  const script = 'umount -l /proc/sys/fs/binfmt_misc 2>/dev/null; PATH=$1; shift; exec "$@"';
  const argv = [
    "--mount",
    "sh",
    "-c",
    script,
    "sh",
    path,
    process.execPath,
    TOOLBOX,
    "-C",
    QUICKSTART,
    "test",
  ];
  const env = { ...workspace.env, TOOLBOX_STORE: QUICKSTART_STORE };
  const { stdout } = await runProgram("unshare", [...argv, "--platform", FOREIGN, "--json", ...words], {
    env,
  });
  return JSON.parse(stdout) as TestReport;
}
