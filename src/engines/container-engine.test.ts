// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exampleSession } from "../../test/support/example-session.ts";
import { collectBytes, streamOf } from "../core/byte-stream.ts";
import {
  createMemoryStore,
  describeBytes,
  type Descriptor,
  MEDIA_TYPES,
  type MemoryStore,
} from "../oci/index.ts";
import type { Session, SessionImage } from "../session/index.ts";
import type { EngineHost } from "./engine.ts";
import type { CapturedProgram, ProgramRunner } from "./program-runner.ts";
import { openEngine, selectEngine } from "./select-engine.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-engine-"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

describe("detection", () => {
  test("names what is missing and what to do", async () => {
    const host = hostWith(createClient({ installed: [] }));
    expect(await (await openEngine("docker", host)).detect()).toMatchObject({
      state: "missing",
      reason: '"docker" is not on PATH',
    });
    await expect(selectEngine("docker", host)).rejects.toMatchObject({ code: "ENGINE_NOT_FOUND" });
  });

  test.each([
    [
      "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
      /systemctl start docker/,
    ],
    ["dial unix /var/run/docker.sock: connect: permission denied", /group/],
  ])("explains %j", async (stderr, cure) => {
    const host = hostWith(
      createClient({
        answers: { version: { exitCode: 1, stdout: '{"Client":{"Version":"20"},"Server":null}', stderr } },
      }),
    );
    await expect(selectEngine("docker", host)).rejects.toMatchObject({
      code: "ENGINE_NOT_RUNNING",
      message: expect.stringContaining(stderr),
      hint: expect.stringMatching(cure),
    });
  });

  test("gives a daemon that hangs a limited time", async () => {
    const host = hostWith(createClient({ answers: { version: { exitCode: 137, timedOut: true } } }));
    expect(await (await openEngine("docker", host)).detect()).toMatchObject({
      state: "stopped",
      reason: '"docker" did not answer within 5 seconds',
    });
  });

  test("takes the first engine that is ready", async () => {
    const host = hostWith(createClient({ installed: ["podman"], answers: { version: PODMAN } }));
    const { engine, status } = await selectEngine(undefined, host);
    expect([engine.name, status.version]).toEqual(["podman", "4.3.1"]);
  });

  test("knows that only Linux can run without an engine", async () => {
    const host = { ...hostWith(createClient({ installed: ["unshare", "bwrap"] })), os: "darwin" as const };
    await expect(selectEngine("embedded", host)).rejects.toMatchObject({ code: "ENGINE_NOT_FOUND" });
  });

  test("suggests the name that was meant", async () => {
    await expect(selectEngine("dokcer", hostWith(createClient({})))).rejects.toMatchObject({
      code: "COMMAND_USAGE",
      hint: 'Did you mean "docker"?',
    });
  });
});

describe("an image", () => {
  test("of the store is loaded once, and named by the digest of its config", async () => {
    const { store, image, config } = await storedImage();
    const client = createClient({ present: [] });
    const engine = await openEngine("docker", hostWith(client));
    expect(await engine.ensureImage(image, { store })).toEqual({ location: config });
    expect(client.calls).toContain("load");
    client.calls.length = 0;
    expect(await (await openEngine("docker", hostWith(client))).ensureImage(image, { store })).toEqual({
      location: config,
    });
    expect(client.calls).toEqual([]);
  });

  test("of a registry is pulled by digest, whatever its tag says today", async () => {
    const { image } = await storedImage();
    const client = createClient({ present: [] });
    const reference = "docker.io/best-tools/tooling-k8s:1.4";
    const name = `docker.io/best-tools/tooling-k8s@${image.digest}`;
    const held = await (
      await openEngine("docker", hostWith(client))
    ).ensureImage({ ...image, reference }, { store: createMemoryStore() });
    expect(held).toEqual({ location: name });
    expect(client.calls).toContain(`pull --platform=linux/amd64 ${name}`);
  });

  test("that is nowhere is an error before anything runs", async () => {
    const { image } = await storedImage();
    const engine = await openEngine("docker", hostWith(createClient({ present: [] })));
    await expect(engine.ensureImage(image, { store: createMemoryStore() })).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
    });
  });

  test("that the engine cannot take is an error with the engine's reason", async () => {
    const { store, image } = await storedImage();
    const client = createClient({
      present: [],
      answers: { load: { exitCode: 1, stderr: "noise\nno space left on device\n" } },
    });
    await expect(
      (await openEngine("docker", hostWith(client))).ensureImage(image, { store }),
    ).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      message: "docker could not load the image: no space left on device",
    });
  });

  test("that somebody pruned is loaded again, and the command runs", async () => {
    const { store, image, config } = await storedImage();
    const client = createClient({ present: [] });
    const engine = await openEngine("docker", hostWith(client));
    const held = await engine.ensureImage(image, { store });
    client.present.clear();
    const outcome = await engine.run(await sessionFor(image), held);
    expect(outcome).toEqual({ exitCode: 7 });
    expect([...client.present]).toEqual([config]);
  });

  test("that is there leaves the command its own exit code 125", async () => {
    const { store, image } = await storedImage();
    const client = createClient({ present: [], exitCode: 125 });
    const engine = await openEngine("docker", hostWith(client));
    const held = await engine.ensureImage(image, { store });
    expect(await engine.run(await sessionFor(image), held)).toEqual({ exitCode: 125 });
    expect(client.calls.filter((call) => call.endsWith(" true"))).toHaveLength(1);
  });

  test("of an engine that can start nothing ends with 125, the reason and another way", async () => {
    const { store, image } = await storedImage();
    const stderr = "Error: crun: setrlimit `RLIMIT_NOFILE`: Operation not permitted: OCI permission denied\n";
    const client = createClient({
      installed: ["podman"],
      present: [],
      exitCode: 126,
      answers: { version: PODMAN, run: { exitCode: 126, stderr } },
    });
    const engine = await openEngine("podman", hostWith(client));
    const outcome = await engine.run(await sessionFor(image), await engine.ensureImage(image, { store }));
    expect(outcome).toEqual({
      exitCode: 125,
      failure: expect.stringMatching(/^podman is there, but cannot start anything: crun: setrlimit/),
      hint: expect.stringMatching(/--engine embedded.*default_ulimits/),
    });
  });

  test.each([
    ["a missing command", { exitCode: 127, stderr: "no such file" }],
    ["a missing command, said the old way", { exitCode: 126, stderr: 'exec: "/.toolbox/no-such-command"' }],
  ])("of an engine that tells of %s is the command's own code", async (_, run) => {
    const { store, image } = await storedImage();
    const client = createClient({ present: [], exitCode: 126, answers: { run } });
    const engine = await openEngine("docker", hostWith(client));
    const held = await engine.ensureImage(image, { store });
    expect(await engine.run(await sessionFor(image), held)).toEqual({ exitCode: 126 });
  });
});

const DOCKER = {
  stdout: '{"Client":{"Version":"20.10.24","ApiVersion":"1.41"},"Server":{"Version":"20.10.24"}}',
};
const PODMAN = { stdout: '{"Client":{"APIVersion":"4.3.1","Version":"4.3.1"}}' };

/** Verbs after which an image is there. */
const TAKES = { load: true, pull: true };

interface FakeClientOptions {
  readonly installed?: readonly string[];
  readonly answers?: Readonly<Record<string, Partial<CapturedProgram>>>;
  /** Images that it holds. */
  readonly present?: readonly string[];
  /** Of `run`. */
  readonly exitCode?: number;
}

interface FakeClient extends ProgramRunner {
  readonly calls: string[];
  readonly present: Set<string>;
}

/** A client that behaves like docker's: it finds images that were loaded or pulled, and fails with 125 for others. */
function createClient({
  installed = ["docker"],
  answers = {},
  present = [],
  exitCode = 7,
}: FakeClientOptions): FakeClient {
  const images = new Set(present);
  const calls: string[] = [];
  let wanted = "";
  return {
    calls,
    present: images,
    find: async (name) => (installed.includes(name) ? `/usr/bin/${name}` : undefined),
    async capture(_, argv, { input }) {
      calls.push(argv.join(" "));
      if (input !== undefined) await collectBytes(input);
      const [verb = "", second = ""] = argv;
      const name = argv.at(-1) ?? "";
      if (verb === "image" && second === "inspect") wanted = name;
      const scripted = answers[verb];
      if (scripted === undefined && verb in TAKES) images.add(verb === "load" ? wanted : name);
      const isThere = verb !== "image" || images.has(name);
      return { exitCode: isThere ? 0 : 1, stderr: "", timedOut: false, ...DOCKER, ...scripted };
    },
    async start(_, argv) {
      calls.push(argv.join(" "));
      const isThere = argv.some((argument) => images.has(argument));
      return { pid: 1, kill: () => undefined, ended: Promise.resolve(isThere ? exitCode : 125) };
    },
  };
}

function hostWith(programs: ProgramRunner): EngineHost {
  return {
    os: "linux",
    uid: 1000,
    gid: 1000,
    env: { PATH: "/usr/bin" },
    dataDir: join(folder, "data"),
    stateDir: join(folder, "state"),
    programs,
    signals: { listen: () => () => undefined },
    hasTerminal: false,
  };
}

async function storedImage(): Promise<{ store: MemoryStore; image: SessionImage; config: string }> {
  const store = createMemoryStore();
  const put = async (text: string, mediaType: string): Promise<Descriptor> => {
    const bytes = new TextEncoder().encode(text);
    const descriptor = describeBytes(bytes, mediaType);
    await store.putBlob(descriptor, streamOf(bytes));
    return descriptor;
  };
  const config = await put(
    '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}',
    MEDIA_TYPES.imageConfig,
  );
  const bytes = new TextEncoder().encode(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageManifest, config, layers: [] }),
  );
  const manifest = describeBytes(bytes, MEDIA_TYPES.imageManifest);
  await store.putManifest(manifest, bytes, {});
  return { store, image: { digest: manifest.digest, platform: "linux/amd64" }, config: config.digest };
}

async function sessionFor(image: SessionImage): Promise<Session> {
  await mkdir(join(folder, "work"), { recursive: true });
  const work = { source: join(folder, "work"), target: "/work", readOnly: false };
  return exampleSession({ image, mounts: [work] });
}
