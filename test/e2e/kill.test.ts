// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openLayoutStore } from "../../src/oci/index.ts";
import {
  openRegistryRepository,
  startRegistryServer,
  verifyRegistryFolder,
} from "../../src/registry/index.ts";
import { makeFolder, ROOT, type TemporaryFolder } from "../support/programs.ts";
import { addSampleArtifact, addSampleImage } from "../support/sample-image.ts";

/** 200 in all. */
const SERVERS = 80;
const CLIENTS = 120;
/** Milliseconds that a process may go on, at most, after it said that it works or, every other time, after its first push. */
const LONGEST = 90;

let folder: TemporaryFolder;
const running = new Set<ChildProcess>();

beforeEach(async () => {
  folder = await makeFolder("kill");
});
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  await folder.remove();
});

test("processes that are killed in a push, a pull or a clean-up leave nothing broken, 200 times", async () => {
  await Promise.all([killClients(), killServers()]);
}, 900_000);

async function killClients(): Promise<void> {
  const registry = join(folder.path, "clients-registry");
  const local = join(folder.path, "clients-store");
  const server = await startRegistryServer({
    folder: registry,
    gcInterval: 25,
    gcGrace: 20_000,
    stopTimeout: 100,
  });
  const pushed = new Map<string, string>();
  for (let round = 0; round < CLIENTS; round += 1) {
    const worker = start(["work", local, server.address, `c${round}`]);
    await runUntilKilled(worker, pushed, round % 2 === 1);
    if (round % 20 === 19) await expectSoundStore(local);
  }
  await expectPushed(server.address, pushed);
  await server.close();
  await expectSoundStore(local);
  await expectSoundRegistry(registry);
  // What nobody needs goes away, half-written files too.
  const store = await openLayoutStore(local);
  await store.removeUnreferenced({ grace: -1000 });
  expect(await readdir(join(local, "ingest"))).toEqual([]);
  await addSampleImage(store, { tag: "next:1", size: 1000 });
  await expectSoundStore(local);
}

async function killServers(): Promise<void> {
  const registry = join(folder.path, "servers-registry");
  const pushed = new Map<string, string>();
  for (let round = 0; round < SERVERS; round += 1) {
    const server = start(["serve", registry]);
    const [, address = ""] = await waitForLine(server, /^serving (.*)$/);
    const stop = new AbortController();
    const pushing = pushUntil(address, `s${round}`, pushed, stop.signal);
    if (round % 2 === 1)
      await vi.waitUntil(() => pushed.has(`s${round}-0`), { timeout: 120_000, interval: 5 });
    await wait(Math.random() * LONGEST);
    await kill(server);
    stop.abort();
    await pushing;
    if (round % 20 === 19) await expectSoundRegistry(registry);
  }
  await expectSoundRegistry(registry);
  const server = await startRegistryServer({ folder: registry, stopTimeout: 100 });
  expect(await readdir(join(registry, "uploads"))).toEqual([]);
  await expectPushed(server.address, pushed);
  await addSampleImage(openRegistryRepository({ registry: server.address, repository: "work" }), {
    tag: "next",
  });
  await server.close();
  await expectSoundRegistry(registry);
}

/** Pushes one image after the other, from here, to a server that is going to be killed. */
async function pushUntil(
  address: string,
  name: string,
  pushed: Map<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const options = { retry: { tries: 1 } };
  const repository = openRegistryRepository({ registry: address, repository: "work" }, options);
  try {
    for (let round = 0; !signal.aborted; round += 1) {
      const tag = `${name}-${round}`;
      const { digest } = await addSampleArtifact(repository, `test/${tag}`, { tag });
      pushed.set(tag, digest);
    }
  } catch {
    // The server is gone, which is what this is about. What was pushed before must be there.
  }
}

async function runUntilKilled(
  worker: ChildProcess,
  pushed: Map<string, string>,
  isLate: boolean,
): Promise<void> {
  const lines = createInterface({ input: worker.stdout as NodeJS.ReadableStream });
  lines.on("line", (line) => {
    const [, tag = "", digest = ""] = /^pushed (\S+) (\S+)$/.exec(line) ?? [];
    if (tag !== "") pushed.set(tag, digest);
  });
  await waitForLine(worker, isLate ? /^pushed / : /^ready$/);
  await wait(Math.random() * LONGEST);
  await kill(worker);
}

async function expectPushed(address: string, pushed: ReadonlyMap<string, string>): Promise<void> {
  expect(pushed.size).toBeGreaterThan(0);
  const repository = openRegistryRepository({ registry: address, repository: "work" });
  for (const [tag, digest] of pushed) expect((await repository.resolveManifest(tag)).digest).toBe(digest);
}

async function expectSoundStore(path: string): Promise<void> {
  const { checked, problems } = await (await openLayoutStore(path)).verify({ deep: true });
  expect(problems).toEqual([]);
  expect(checked).toBeGreaterThan(0);
}

async function expectSoundRegistry(path: string): Promise<void> {
  expect((await verifyRegistryFolder(path, { deep: true })).problems).toEqual([]);
}

function start(args: readonly string[]): ChildProcess {
  const script = join(ROOT, "test", "support", "killed-worker.mjs");
  const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  return child;
}

async function waitForLine(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => {
      const match = pattern.exec(line);
      if (match !== null) resolve(match);
    });
    child.once("exit", () => reject(new Error("the process ended before it worked")));
  });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) throw new Error("the process ended by itself");
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
  running.delete(child);
}
