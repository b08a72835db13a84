// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { makeFolder, type ProgramResult, ROOT, type TemporaryFolder } from "../support/programs.ts";
import { type RunningRegistry, serveRegistry } from "../support/programs-toolbox.ts";
import { prepareReleaser, type Releaser } from "../support/released-image.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";
import { runOnTerminal, type TerminalResult } from "../support/terminal.ts";

const TOOLBOX = join(ROOT, "dist", "cli", "main.js");
const HOUR = 60 * 60 * 1000;
const PATIENCE = { timeout: 120_000, interval: 50 };
/** The terminal of a test has no other way to say that a variable is not set. */
const PERSON = { CI: "", TOOLBOX_NO_NOTICE: "", TOOLBOX_ENGINE: "embedded" };

let folder: TemporaryFolder;
let registry: RunningRegistry;
let releaser: Releaser;
let digest = "";
beforeAll(async () => {
  folder = await makeFolder("registry");
  registry = await serveRegistry(join(folder.path, "registry"));
  releaser = await prepareReleaser(registry.host);
  digest = await releaser.release({ hello: "1.0.0" }, ["1.4.0", "1.4"]);
});
afterAll(async () => {
  await releaser?.remove();
  await registry?.stop();
  await folder?.remove();
});

describe("a tag that has moved", () => {
  let workspace: SmallWorkspace;
  beforeAll(async () => {
    workspace = await makeWorkspace();
    await workspace.write("toolbox.yaml", `use: ${releaser.repository}:1.4\n`);
    expect(await workspace.toolbox(["lock"])).toMatchObject({ code: 0 });
    await releaser.release({ hello: "1.0.1" }, ["1.4.1"]);
    await releaser.release({ hello: "1.0.2" }, ["1.4.2", "1.4"]);
  });
  afterAll(() => workspace?.remove());

  test("is told by the command after the one that asked, once a day", async () => {
    expect(await typed(workspace, ["hello"])).toEqual({ code: 0, screen: "hello 1.0.0\n" });
    await answered(workspace);
    const { code, screen } = await typed(workspace, ["hello"]);
    expect(code).toBe(0);
    expect(screen).toMatch(
      /^note: 2 releases behind: hello 1\.0\.0 -> 1\.0\.2, \+[\d.]+ k?B; run toolbox upgrade\nhello 1\.0\.0\n$/,
    );
    expect((await typed(workspace, ["hello"])).screen).toBe("hello 1.0.0\n");
    letPass(workspace, 23 * HOUR);
    expect((await typed(workspace, ["hello"])).screen).toBe("hello 1.0.0\n");
    letPass(workspace, 2 * HOUR);
    expect((await typed(workspace, ["hello"])).screen).toMatch(/^note: 2 releases behind/);
    await answered(workspace);
    expect((await typed(workspace, ["hello"])).screen).toBe("hello 1.0.0\n");
  });

  test.each([
    ["in CI", [], { CI: "true" }],
    ["when it was switched off", [], { TOOLBOX_NO_NOTICE: "1" }],
    ["behind a shim", [], { TOOLBOX_SHIM: "1" }],
    ["under --quiet", ["--quiet"], {}],
    ["under --json", ["--json"], {}],
  ])("is neither told nor asked for %s", async (_, options, env) => {
    letPass(workspace, 25 * HOUR);
    const before = stateOf(workspace);
    const { code, screen } = await typed(workspace, [...options, "hello"], env);
    expect([code, screen]).toEqual([0, "hello 1.0.0\n"]);
    expect(stateOf(workspace)).toEqual(before);
  });

  test("is neither told nor asked for when nobody looks at a terminal", async () => {
    letPass(workspace, 25 * HOUR);
    const before = stateOf(workspace);
    expect(await workspace.toolbox(["hello"], { env: PERSON })).toEqual({
      code: 0,
      stdout: "hello 1.0.0\n",
      stderr: "",
    });
    expect(stateOf(workspace)).toEqual(before);
  });

  test("is no news any more once it was taken", async () => {
    expect(await workspace.toolbox(["upgrade"])).toMatchObject({ code: 0 });
    letPass(workspace, 25 * HOUR);
    const { screen } = await typed(workspace, ["hello"]);
    expect(screen).not.toContain("note:");
    expect(screen).toContain("hello 1.0.2\n");
    await answered(workspace);
    expect(stateOf(workspace).pinned).not.toBe(digest);
    expect(stateOf(workspace).news).toBeUndefined();
  });
});

describe("a registry that never answers", () => {
  let workspace: SmallWorkspace;
  let server: Server;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on("error", () => undefined).resume();
      sockets.push(socket);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    workspace = await makeWorkspace();
    await workspace.write("toolbox.yaml", `use: ${releaser.repository}:1.4.0\n`);
    expect(await workspace.toolbox(["lock"])).toMatchObject({ code: 0 });
    expect(await workspace.toolbox(["hello"], { env: PERSON })).toMatchObject({ stdout: "hello 1.0.0\n" });
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const lock = workspace.visible().lock ?? "";
    const reference = `${releaser.repository}:1.4.0`;
    await workspace.write("toolbox.lock", lock.replace(reference, `127.0.0.1:${port}/team/tools:1.4`));
  });
  afterAll(async () => {
    server?.close();
    for (const socket of sockets) socket.destroy();
    await vi.waitUntil(() => !existsSync(checkLock(workspace)), PATIENCE);
    await workspace?.remove();
  });

  test("keeps no command waiting, and is asked by one process that holds nothing and ends", async () => {
    // On this terminal: it would not close as long as any process had it open.
    expect(await typed(workspace, ["hello"])).toEqual({ code: 0, screen: "hello 1.0.0\n" });
    await expect.poll(() => sockets.length, PATIENCE).toBe(1);
    const { pid } = JSON.parse(readFileSync(checkLock(workspace), "utf8")) as { pid: number };
    // Stopped, it asks for as long as this test needs, however slow the machine is.
    process.kill(pid, "SIGSTOP");
    expect(filesOf(pid)).toEqual(["/dev/null", "/dev/null", "/dev/null"]);
    const [session, terminal] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ")
      .slice(3);
    expect([session, terminal]).toEqual([String(pid), "0"]);

    const second = await check(workspace);
    expect(second).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(sockets).toHaveLength(1);
    expect((await typed(workspace, ["hello"])).screen).toBe("hello 1.0.0\n");

    process.kill(pid, "SIGCONT");
    await expect.poll(() => existsSync(checkLock(workspace)), PATIENCE).toBe(false);
    await expect.poll(() => existsSync(`/proc/${pid}`), PATIENCE).toBe(false);
    await expect.poll(() => sockets[0]?.destroyed, PATIENCE).toBe(true);
  });

  test("is asked again after an hour, and not before", async () => {
    const asked = stateOf(workspace).askAfter;
    expect(asked - Date.now()).toBeLessThanOrEqual(HOUR);
    expect((await typed(workspace, ["hello"])).screen).toBe("hello 1.0.0\n");
    expect(stateOf(workspace).askAfter).toBe(asked);
    letPass(workspace, HOUR);
    expect((await typed(workspace, ["hello"])).screen).toBe("hello 1.0.0\n");
    await expect.poll(() => sockets.length, PATIENCE).toBe(2);
  });
});

test("a check that cannot be done says nothing", async () => {
  const workspace = await makeWorkspace();
  try {
    expect(await check(workspace)).toEqual({ code: 0, stdout: "", stderr: "" });
    const use = { reference: "127.0.0.1:1/team/tools:1", digest, platforms: {} };
    const session = { mounts: [], env: [], credentials: [] };
    await workspace.write("toolbox.lock", JSON.stringify({ lockVersion: 1, images: {}, use, session }));
    expect(await check(workspace)).toEqual({ code: 0, stdout: "", stderr: "" });
  } finally {
    await workspace.remove();
  }
});

/** `toolbox` as a person types it, in the workspace. */
async function typed(
  { path, store }: SmallWorkspace,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<TerminalResult> {
  const folders = { TOOLBOX_STORE: store, XDG_STATE_HOME: join(dirname(store), "state") };
  const result = await runOnTerminal(process.execPath, [TOOLBOX, "--no-progress", ...args], {
    cwd: path,
    env: { ...PERSON, ...folders, ...env },
  });
  // What it says while it pulls and unpacks is not what is looked at here.
  return { ...result, screen: result.screen.replaceAll(/^(?!note:|hello ).*\n/gm, "") };
}

/** What runs in the background, in the foreground. */
async function check({ toolbox, path }: SmallWorkspace): Promise<ProgramResult> {
  return toolbox(["-C", path, "freshness-check"]);
}

interface KnownState {
  readonly pinned: string;
  readonly askAfter: number;
  readonly tellAfter?: number;
  readonly news?: string;
}

function stateFolder({ store }: SmallWorkspace): string {
  return join(dirname(store), "state", "toolbox", "freshness");
}

function checkLock(workspace: SmallWorkspace): string {
  return join(stateFolder(workspace), "check.lock");
}

function stateFile(workspace: SmallWorkspace): string {
  const names = readdirSync(stateFolder(workspace)).filter((name) => name.endsWith(".json"));
  expect(names).toHaveLength(1);
  return join(stateFolder(workspace), names[0] ?? "");
}

function stateOf(workspace: SmallWorkspace): KnownState {
  return JSON.parse(readFileSync(stateFile(workspace), "utf8")) as KnownState;
}

/** Waits until the process in the background has kept its answer for a day, and is gone. */
async function answered(workspace: SmallWorkspace): Promise<void> {
  await expect.poll(() => stateOf(workspace).askAfter - Date.now() > 20 * HOUR, PATIENCE).toBe(true);
  await expect.poll(() => existsSync(checkLock(workspace)), PATIENCE).toBe(false);
}

/** Lets time pass for the workspace: everything that is noted happened that much earlier. */
function letPass(workspace: SmallWorkspace, milliseconds: number): void {
  const { tellAfter, askAfter, ...others } = stateOf(workspace);
  const state: KnownState = {
    ...others,
    askAfter: askAfter - milliseconds,
    ...(tellAfter !== undefined && { tellAfter: tellAfter - milliseconds }),
  };
  writeFileSync(stateFile(workspace), JSON.stringify(state));
}

/** Where stdin, stdout and stderr of a process lead; and any terminal that it has open besides. */
function filesOf(pid: number): string[] {
  const open = readdirSync(`/proc/${pid}/fd`).map(
    (fd) => [fd, readlinkSync(`/proc/${pid}/fd/${fd}`)] as const,
  );
  return open.filter(([fd, path]) => Number(fd) < 3 || path.startsWith("/dev/pts")).map(([, path]) => path);
}
