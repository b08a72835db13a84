// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { planShell } from "./plan-shell.ts";
import type { SessionImage } from "./session.ts";

const run = promisify(execFile);
const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}` as const;

let home = "";
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "toolbox-shell-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe("the prompt names", () => {
  test.each([
    ["docker.io/best-tools/tooling-k8s:1.4", undefined, "tooling-k8s 1.4"],
    [`localhost:5000/tools:2@${DIGEST}`, undefined, "tools 2"],
    [`localhost:5000/tools@${DIGEST}`, undefined, "tools 0123456789ab"],
    [undefined, "team-tools", "team-tools 0123456789ab"],
    [undefined, undefined, "0123456789ab"],
  ])("%s as %s: %s", async (reference, name, label) => {
    expect(await promptOf(IMAGE(reference), { name })).toBe(`[${label}] \\w \\$ `);
  });

  test.each([
    ["current-context: dev\n", " | dev"],
    ['apiVersion: v1\ncurrent-context: "dev 2"\nkind: Config\n', " | dev 2"],
    ["current-context: 'a$(id)`id`'\n", " | a$(id)`id`"],
    ["current-context: a\u001B[31mb\n", " | a[31mb"],
    ['current-context: ""\n', ""],
    ["contexts:\n- name: x\n", ""],
  ])("the context of kubeconfig %j", async (text, expected) => {
    const file = join(home, "config");
    await writeFile(file, text);
    expect(await contextOf(file)).toBe(expected);
  });

  test("no context where there is no kubeconfig", async () => {
    expect(await contextOf(join(home, "nothing"))).toBe("");
  });
});

describe("the history", () => {
  test("is written line by line, into the file that HOME keeps", async () => {
    const { argv } = await start(IMAGE());
    const lines = "set -o history\nhistory -s first\n_toolbox_prompt\nhistory -s second\n_toolbox_prompt\n";
    await run("bash", ["--norc", "-i", "-c", `. ${argv}\n${lines}kill -9 $$`], { env: environment() }).catch(
      () => undefined,
    );
    expect(await readFile(join(home, ".bash_history"), "utf8")).toMatch(/^first\n[^]*^second\n/m);
  });
});

const IMAGE = (reference?: string): SessionImage => ({ reference, digest: DIGEST, platform: "linux/amd64" });

async function start(image: SessionImage, name?: string): Promise<{ argv: string }> {
  const { files, argv } = planShell(image, name);
  expect(argv).toEqual(["bash", "--rcfile", files[0]?.target, "-i"]);
  const file = join(home, "start");
  await writeFile(file, files[0]?.content ?? "");
  return { argv: file };
}

async function promptOf(
  image: SessionImage,
  { name }: { readonly name?: string | undefined },
): Promise<string> {
  const { argv } = await start(image, name);
  const script = `. ${argv}; _toolbox_prompt; printf %s "\${PS1/\\$_toolbox_context/$_toolbox_context}"`;
  return (await run("bash", ["--norc", "-i", "-c", script], { env: environment() })).stdout;
}

async function contextOf(file: string): Promise<string> {
  const { argv } = await start(IMAGE());
  const script = `. ${argv}; _toolbox_prompt; printf %s "$_toolbox_context"`;
  return (
    await run("bash", ["--norc", "-i", "-c", script], { env: environment({ KUBECONFIG: `${file}:/other` }) })
  ).stdout;
}

function environment(more: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: home, LANG: "C.UTF-8", NO_COLOR: "1", SHLVL: "3", ...more };
}
