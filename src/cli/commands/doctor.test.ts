// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Finding } from "../finding.ts";
import { runProgram } from "../program.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-doctor-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a workspace without a lock is broken, and the exit code says so", async () => {
  await writeFile(join(folder, "toolbox.yaml"), "use: registry.example.com/team/tools:1.0\n");
  const { exitCode, findings } = await doctor();
  expect(exitCode).toBe(1);
  expect(findings).toContainEqual({
    check: "lock",
    state: "broken",
    message: expect.stringContaining("does not exist"),
    cure: "Run `toolbox lock`.",
  });
});

test("a toolbox.yaml that cannot be read is a finding, not a failure", async () => {
  await writeFile(join(folder, "toolbox.yaml"), "tols: {}\n");
  const { findings } = await doctor();
  expect(findings).toContainEqual(expect.objectContaining({ check: "workspace", state: "broken" }));
});

test("outside of any workspace the machine alone is looked at", async () => {
  const { exitCode, findings } = await doctor();
  expect(findings.find(({ check }) => check === "workspace")?.state).toBe("fine");
  expect(exitCode).toBe(findings.some(({ state }) => state === "broken") ? 1 : 0);
});

async function doctor(): Promise<{ exitCode: number; findings: readonly Finding[] }> {
  let text = "";
  const exitCode = await runProgram(["doctor", "--json"], {
    cwd: folder,
    env: { PATH: folder, XDG_DATA_HOME: join(folder, "data"), XDG_STATE_HOME: join(folder, "state") },
    home: folder,
    stdout: { write: (part) => void (text += part), flush: async () => {} },
    stderr: { write: () => {}, flush: async () => {} },
    terminal: { stdin: false, stdout: false, stderr: false },
    columns: () => 80,
    interruptions: { signal: new AbortController().signal, release: () => {} },
  });
  return { exitCode, findings: (JSON.parse(text) as { findings: readonly Finding[] }).findings };
}
