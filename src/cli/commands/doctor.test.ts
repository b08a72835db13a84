// SPDX-License-Identifier: Apache-2.0
import { appendFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
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

test("tells what the session needs and the host does not have, each with its cure", async () => {
  await mkdir(join(folder, "there"));
  await writeLock({
    mounts: [
      { source: "there", target: "/there", readOnly: true },
      { source: "~/gone", target: "/gone", readOnly: true },
    ],
    env: ["SET", "UNSET", "FIXED=1"],
    credentials: ["netrc", "aws"],
  });
  await writeFile(join(folder, ".netrc"), "");
  const { exitCode, findings } = await doctor({ SET: "1", SSL_CERT_FILE: join(folder, "no.pem") });
  expect(exitCode).toBe(1);
  expect(statesOf(findings)).toMatchObject({
    "mount /there": "fine",
    "mount /gone": "broken",
    "variable SET": "fine",
    "variable UNSET": "warning",
    "credential netrc": "fine",
    "credential aws": "warning",
    certificates: "warning",
  });
  for (const { state, cure } of findings) if (state !== "fine") expect(cure).toMatch(/^[A-Z].*\.$/);
});

test("an image that is not here is to be pulled; one that this machine cannot run is of no use", async () => {
  await writeLock({ mounts: [], env: [], credentials: [] });
  expect(statesOf((await doctor()).findings)).toMatchObject({ [`image ${REFERENCE}`]: "warning" });
  await writeLock({ mounts: [], env: [], credentials: [] }, { [OTHER]: DIGEST });
  const { findings } = await doctor();
  expect(findings).toContainEqual(
    expect.objectContaining({ state: "broken", message: expect.stringContaining(`only for ${OTHER}`) }),
  );
});

test("a shim that another command stands before is of no use, and so is one of another toolbox", async () => {
  const [first, second] = [join(folder, "first"), join(folder, "second")];
  await mkdir(first);
  await writeFile(join(first, "kubectl"), "#!/bin/sh\n", { mode: 0o755 });
  await run(["shims", "install", "kubectl", "--force", "--dir", second]);
  expect(await findShim(`${second}:${first}`)).toMatchObject({ state: "fine" });
  expect(await findShim(`${first}:${second}`)).toMatchObject({
    state: "warning",
    message: expect.stringContaining(`runs ${first}/kubectl`),
    cure: expect.stringContaining(`Put ${second} first`),
  });
  await appendFile(join(second, "kubectl"), "# other\n");
  expect(await findShim(second)).toMatchObject({
    state: "warning",
    cure: expect.stringContaining("shims install kubectl"),
  });
});

test("a shim in the usual folder that is not on PATH is of no use either", async () => {
  await run(["shims", "install", "helm"]);
  const { findings } = await doctor();
  expect(findings.find(({ check }) => check === "shim helm")).toMatchObject({ state: "warning" });
});

test("changes nothing", async () => {
  await writeLock({ mounts: [], env: [], credentials: ["netrc"] });
  const before = await readdir(folder, { recursive: true });
  await doctor();
  expect(await readdir(folder, { recursive: true })).toEqual(before);
});

/** A platform that this machine is not. */
const OTHER = process.arch === "arm64" ? "linux/amd64" : "linux/arm64";
const REFERENCE = "registry.example.com/team/tools:1.0";
const DIGEST = `sha256:${"a".repeat(64)}`;

async function writeLock(session: object, platforms: Readonly<Record<string, string>> = {}): Promise<void> {
  await writeFile(join(folder, "toolbox.yaml"), `use: ${REFERENCE}\n`);
  const lock = {
    lockVersion: 1,
    workspace: "0".repeat(64),
    platforms: ["linux/amd64"],
    compression: "gzip",
    tools: {},
    wishes: {},
    images: {},
    use: { reference: REFERENCE, digest: DIGEST, platforms },
    session,
  };
  await writeFile(join(folder, "toolbox.lock"), JSON.stringify(lock));
}

async function findShim(path: string): Promise<Finding | undefined> {
  return (await doctor({ PATH: path })).findings.find(({ check }) => check === "shim kubectl");
}

function statesOf(findings: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(findings.map(({ check, state }) => [check, state]));
}

async function doctor(
  env: Readonly<Record<string, string>> = {},
): Promise<{ exitCode: number; findings: readonly Finding[] }> {
  const { exitCode, text } = await run(["doctor", "--json"], env);
  return { exitCode, findings: (JSON.parse(text) as { findings: readonly Finding[] }).findings };
}

async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ exitCode: number; text: string }> {
  let text = "";
  const exitCode = await runProgram(args, {
    cwd: folder,
    env: { PATH: folder, XDG_DATA_HOME: join(folder, "data"), XDG_STATE_HOME: join(folder, "state"), ...env },
    home: folder,
    stdout: { write: (part) => void (text += part), flush: async () => {} },
    stderr: { write: () => {}, flush: async () => {} },
    terminal: { stdin: false, stdout: false, stderr: false },
    columns: () => 80,
    interruptions: { signal: new AbortController().signal, release: () => {} },
  });
  return { exitCode, text };
}
