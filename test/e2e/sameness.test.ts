// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { chmod, cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HOSTS, reasonAgainst } from "../../scripts/sameness/hosts.mjs";
import { openRegistryRepository } from "../../src/registry/index.ts";
import { putIndex, putLayeredImage } from "../support/layered-image.ts";
import {
  makeFolder,
  type ProgramResult,
  ROOT,
  runProgram,
  type TemporaryFolder,
} from "../support/programs.ts";
import { type RunningRegistry, serveRegistry } from "../support/programs-toolbox.ts";

/** Those that need neither another Node.js nor an emulator: `npm run sameness` has them all. */
const NAMES = ["elsewhere", "plain-user", "one-cpu", "other-order"];

let folder: TemporaryFolder;
let registry: RunningRegistry;

beforeAll(async () => {
  folder = await makeFolder("sameness");
  registry = await serveRegistry(join(folder.path, "registry"));
  await writeWorkspace();
});
afterAll(async () => {
  await registry?.stop();
  await folder?.remove();
});

describe.runIf(process.platform === "linux")("npm run sameness", () => {
  test("finds one digest on hosts that differ", async () => {
    const { code, stdout, stderr } = await runSameness(NAMES.flatMap((name) => ["--host", name]));
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining("differs") });
    const expected = HOSTS.filter(({ name }) => NAMES.includes(name));
    const ran = expected.filter((host) => reasonAgainst(host, []) === undefined);
    expect(stdout).toContain(`the same digest for each image on ${1 + ran.length} hosts\n`);
    const rows = rowsOf(stdout);
    const digest = rows.get("first")?.digest;
    expect(digest).toMatch(/^[0-9a-f]{12}$/);
    for (const { name } of ran) {
      expect(rows.get(name)?.digest).toBe(digest);
      expect(rows.get(name)?.rest).toMatch(DIFFERENCES[name] ?? /^$/);
    }
  });

  test("shows the path and the byte where a build takes something from its host", async () => {
    const { code, stdout, stderr } = await runSameness(["--other", await writeOtherProgram()]);
    expect(code).toBe(1);
    expect(stdout).toContain("not the same on 1 of 2 hosts: other-program\n");
    const rows = rowsOf(stdout);
    expect(rows.get("other-program")?.digest).not.toBe(rows.get("first")?.digest);
    expect(stderr).toMatch(/~ etc\/shadow: content, \d+ -> \d+ bytes\n +from byte \d+ /);
    expect(stderr).toMatch(/\n +A [0-9a-f]{8} .*\|x:!:{7}\.\|\n +B [0-9a-f]{8} .*\|x:!:\d{5}:{6}\.\|\n/);
  });
});

/** What the hosts must say of themselves. */
const DIFFERENCES: Readonly<Record<string, RegExp>> = {
  elsewhere: /another home.*umask 077, tr-TR, Pacific\/Kiritimati/,
  "plain-user": /uid 54321/,
  "one-cpu": /1 CPU|another folder$/,
  "other-order": /files listed in another order/,
};

/** A base of one file, and two tools of several gzip members each, which are compressed side by side. */
async function writeWorkspace(): Promise<void> {
  const repository = openRegistryRepository({ registry: registry.host, repository: "base" });
  const layers = [{ members: [{ name: "etc/shadow", content: "root:*:::::::\n" }] }];
  const parts = ["amd64", "arm64"].map(async (architecture) =>
    putLayeredImage(repository, { layers, architecture }),
  );
  await putIndex(repository, await Promise.all(parts), { tag: "1" });
  const workspace = join(folder.path, "workspace");
  await mkdir(workspace);
  for (const name of ["one", "two"]) {
    await writeFile(join(workspace, name), `#!/bin/sh\n# ${wordsOf(name, 1_500_000)}\n`);
    await chmod(join(workspace, name), 0o755);
  }
  const tools = ["one", "two"].map(
    (name) => `  ${name}: { version: "1.0.0", source: file, path: ${name}, summary: Says ${name} }\n`,
  );
  const text = `base: { image: "${registry.host}/base:1" }\ntools:\n${tools.join("")}images: { both: { tools: [one, two] } }\n`;
  await writeFile(join(workspace, "toolbox.yaml"), text);
}

/** Text that shrinks to about the half, the same in each run. */
function wordsOf(seed: string, length: number): string {
  const pieces: string[] = [];
  for (let size = 0; size < length; size += 64) {
    pieces.push(createHash("sha256").update(`${seed} ${size}`).digest("hex"));
  }
  return pieces.join("");
}

/** This package, but with the day on which a password was set taken from the clock, as useradd does. */
async function writeOtherProgram(): Promise<string> {
  const other = join(folder.path, "other");
  await mkdir(other);
  for (const name of ["dist", "catalog", "schema", "package.json", "README.md", "LICENSE"])
    await cp(join(ROOT, name), join(other, name), { recursive: true });
  let count = 0;
  for (const path of await readdir(other, { recursive: true })) {
    if (!path.startsWith("dist/") || !path.endsWith(".js")) continue;
    const text = await readFile(join(other, path), "utf8");
    const changed = text.replaceAll(":!:::::::", ":!:${Math.floor(Date.now() / 86_400_000)}::::::");
    if (changed === text) continue;
    await writeFile(join(other, path), changed);
    count += 1;
  }
  expect(count).toBeGreaterThan(0);
  return other;
}

async function runSameness(args: readonly string[]): Promise<ProgramResult> {
  const script = join(ROOT, "scripts", "sameness.mjs");
  const workspace = ["--workspace", join(folder.path, "workspace")];
  // A cache of its own: what is there of Go's toolchains would only be copied.
  const env = { TOOLBOX_CACHE: join(folder.path, "cache") };
  return await runProgram(process.execPath, [script, ...workspace, ...args], { env });
}

/** Lines of the first table by host: the digest, and what differs. */
function rowsOf(stdout: string): ReadonlyMap<string, { readonly digest: string; readonly rest: string }> {
  const lines = stdout.split("\n\n")[0]?.split("\n").slice(1) ?? [];
  return new Map(
    lines.map((line) => {
      const [name = "", , cell = "", rest = ""] = line.split(/ {2,}/);
      return [name, { digest: cell.split(" ")[0] ?? "", rest }];
    }),
  );
}
