// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENGINES_UNDER_TEST, type ReadyEngine } from "../support/engine-list.ts";
import { outputOf, type ProgramResult, type RunProgramOptions } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { openSecretBench, type SecretBench } from "../support/secret-bench.ts";
import { findSecretFiles, watchArguments } from "../support/sentinel.ts";

/** What the session names below; all else of the host must stay out. */
const NAMED = "session: { env: [NAMED_TOKEN], credentials: [aws, docker, kubeconfig, netrc, openstack] }\n";

/** The one file that a session with {@link NAMED} leaves behind, for nobody but its owner. */
const COPY = /^home\/\.local\/state\/toolbox\/homes\/[^/]+\/\.kube\/config kubeconfig 600$/;

let bench: SecretBench;
let watched: ReturnType<typeof watchArguments>;
beforeAll(async () => {
  bench = await openSecretBench();
  watched = watchArguments(bench.secrets.placesIn);
  await bench.write("bin/ourlint", "#!/bin/sh\necho ourlint 1\n");
  await lock("");
  await succeed(["build"]);
});
afterAll(async () => {
  await watched?.stop();
  await bench?.remove();
});

describe("secrets of the host that no session names", () => {
  test("are in nothing that is locked, built, published, pulled and copied", async () => {
    const { host } = bench.registry;
    const other = join(bench.home, "other");
    await mkdir(other);
    await succeed(["init", "jq"], { cwd: other });
    await succeed(["publish", "--tag", "1"]);
    await succeed(["pull", `${host}/team/tools:1`]);
    await succeed(["image", "copy", `${host}/team/tools:1`, `oci:${join(bench.home, "copy")}:tools`]);
    await succeed(["image", "copy", `${host}/team/tools:1`, `${host}/team/copy:1`]);
    for (const about of ["inspect", "tags"])
      await succeed(["image", about, `${host}/team/tools${about === "tags" ? "" : ":1"}`]);
    await succeed(["tools", `${host}/team/tools:1`]);
    await writeFile(join(other, "toolbox.yaml"), `use: ${host}/team/tools:1\n`);
    for (const args of [["lock"], ["pull"], ["alias"], ["alias", "--make"]])
      await succeed(args, { cwd: other });
    await bench.toolbox(["doctor", "--json", "--debug"]);
    await expectNothing();
  });

  test("are in no error, not even with --debug", async () => {
    const { host } = bench.registry;
    const { secrets, home } = bench;
    const nobody = { HOME: join(home, "other"), TOOLBOX_STORE: join(home, ".local/share/toolbox/store") };
    await fail(["publish", "--tag", "2", "--to", "127.0.0.1:1/team"], 6);
    await fail(["publish", "--tag", "2"], 5, nobody);
    await fail(["pull", "https://ada:p@127.0.0.1/x:1"], 2);
    await fail(["no-such-tool-at-all"], 127, { TOOLBOX_ENGINE: "embedded" });
    await fail(["add", "kubeclt"], 3);
    const proxy = `http://ada:${secrets.at("bad-proxy")}@[nowhere`;
    await fail(["pull", "registry.invalid/team/tools:1"], undefined, { HTTPS_PROXY: proxy });
    const settings = join(home, "wrong");
    for (const [text, code] of [
      [JSON.stringify({ auths: { [host]: { auth: btoa(`ada:${secrets.at("wrong")}`) } } }), 5],
      [JSON.stringify({ auths: { [host]: { auth: secrets.at("not-base64") } } }), 5],
      [`{ "auths": { "${host}": { "auth": ${secrets.at("broken")} } } }`, 5],
      [JSON.stringify({ credHelpers: { [host]: "talks" } }), 5],
    ] as const) {
      await mkdir(settings, { recursive: true });
      await writeFile(join(settings, "config.json"), text);
      await writeFile(
        join(settings, "docker-credential-talks"),
        `#!/bin/sh\necho ${secrets.at("helper")}\necho ${secrets.at("helper")} >&2\nexit 1\n`,
        { mode: 0o755 },
      );
      const PATH = `${settings}:${process.env["PATH"]}`;
      await fail(["publish", "--tag", "2"], code, { DOCKER_CONFIG: settings, PATH });
    }
    const mirror = `mirrors: { debian: "http://ada:${secrets.at("mirror")}@127.0.0.1:1/debian" }\n`;
    await writeFile(join(settings, "toolbox.yaml"), `${mirror}base: { debian: trixie }\nimages: { a: {} }\n`);
    await fail(["-C", settings, "lock"], 6);
    await rm(settings, { recursive: true });
    await expectNothing();
  });

  test("are in no bundle, and only those that the session names in one for its owner alone", async () => {
    const bundle = join(bench.home, "bundle");
    for (const [session, expected] of [
      ["", ["proxy"]],
      ["session: { env: [NAMED_TOKEN] }\n", ["NAMED_TOKEN", "proxy"]],
    ] as const) {
      await lock(session);
      await succeed(["bundle", bundle, "env"]);
      const [file, ...others] = await findSecretFiles(bundle, bench.secrets.placesIn);
      expect(file).toMatchObject({ places: expected, mode: 0o600 });
      expect(others).toEqual([]);
      await rm(bundle, { recursive: true });
    }
    await expectNothing();
  });
});

describe.each(ENGINES_UNDER_TEST.filter(({ title }) => title.endsWith("as root")))("on $title", (engine) => {
  let ready: ReadyEngine;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    ready = await engine.start();
    env = { ...ready.env, TOOLBOX_ENGINE: engine.name };
  });
  afterAll(async () => ready?.stop());

  /** Everything that a command can find out about its surroundings, but not what belongs to other processes. */
  const LOOK =
    'env; for f in .aws/credentials .config/openstack/clouds.yaml .docker/config.json .kube/config .netrc .ssh/id_ed25519; do [ -r "$HOME/$f" ] && cat "$HOME/$f"; done; cat /proc/self/mountinfo';

  test("a command sees none that its session does not name, but the proxy's", async () => {
    await lock("");
    expect(await look(["sh", "-c", LOOK])).toEqual(["proxy"]);
    expect(await look(["shell", "-c", LOOK])).toEqual(["proxy"]);
    await expectNothing();
  });

  test("a command sees those that its session names, which are nowhere else but in its private copies", async () => {
    await lock(NAMED);
    const seen = ["AWS_SECRET_ACCESS_KEY", "NAMED_TOKEN", "OS_PASSWORD", "aws-file", "base64", "clouds"];
    expect(await look(["sh", "-c", LOOK])).toEqual([...seen, "kubeconfig", "netrc", "proxy"]);
    expect(bench.leaks()).toEqual([]);
    expect(await bench.kept()).toEqual([expect.stringMatching(COPY)]);
  });

  /** What the command said is what it is for; all else that was said counts as a leak. */
  async function look(args: readonly string[]): Promise<string[]> {
    const { code, stdout, stderr } = await bench.toolbox(["--debug", ...args], { env });
    expect(code, stderr).toBe(0);
    expect(bench.leaks().filter((leak) => !leak.startsWith("stdout"))).toEqual([]);
    return bench.secrets.placesIn(stdout);
  }
});

describe.runIf(canStartDocker())("with docker alone:", () => {
  let docker: RunningDocker;
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    docker = await startDocker();
    env = { ...docker.env, TOOLBOX_ENGINE: "docker" };
  });
  afterAll(async () => docker?.stop());

  /** In images, in containers that are there or were, and in the log of the daemon. */
  const placesOfDaemon = async (): Promise<string[]> => {
    const folder = dirname(docker.env.DOCKER_HOST.slice("unix://".length));
    const parts = ["data/containers", "data/image", "data/overlay2", "data/volumes", "dockerd.log"];
    return (await Promise.all(parts.map(async (part) => placesBelow(join(folder, part))))).flat();
  };

  test("a warm container knows no secret that the session does not name, nor one of the variables that it does", async () => {
    for (const session of ["", NAMED]) {
      await lock(session);
      for (const args of [["up", "--json"], ["exec", "true"], ["true"], ["ps"], ["logs"]])
        await succeed(args, { env });
      const ids = (await outputOf("docker", ["ps", "--quiet"], { env: docker.env })).trim().split("\n");
      const inspected = await outputOf("docker", ["inspect", ...ids], { env: docker.env });
      expect(bench.secrets.placesIn(inspected)).toEqual([]);
      const mounts = (JSON.parse(inspected) as { Mounts: { Source: string }[] }[]).flatMap(
        ({ Mounts }) => Mounts,
      );
      const files = await Promise.all(mounts.map(async ({ Source }) => placesBelow(Source)));
      const named = session === "" ? [] : ["aws-file", "base64", "clouds", "kubeconfig", "netrc"];
      expect([...new Set(files.flat())].toSorted()).toEqual(named);
      await succeed(["down"], { env });
      expect(await placesOfDaemon()).toEqual([]);
    }
    expect(bench.leaks()).toEqual([]);
    expect(await bench.kept()).toEqual([expect.stringMatching(COPY)]);
  });

  test("a container of its own is started with the values that the session names, and forgotten", async () => {
    await lock("session: { env: [NAMED_TOKEN] }\n");
    const wait = "echo >/work/ready; while [ -e /work/ready ]; do sleep 0.05; done";
    const running = succeed(["sh", "-c", wait], { env });
    await expect.poll(() => existsSync(join(bench.work, "ready")), { timeout: 120_000 }).toBe(true);
    const id = (await outputOf("docker", ["ps", "--quiet"], { env: docker.env })).trim();
    const inspected = await outputOf("docker", ["inspect", id], { env: docker.env });
    await rm(join(bench.work, "ready"));
    await running;
    expect(bench.secrets.placesIn(inspected)).toEqual(["NAMED_TOKEN", "proxy"]);
    expect(await placesOfDaemon()).toEqual([]);
    await expectNothing();
  });

  test("a shim and its launcher hold none, and pass on what the session names", async () => {
    await lock("session: { env: [NAMED_TOKEN], credentials: [kubeconfig] }\n");
    await succeed(["shims", "install", "env", "--force", "--dir", join(bench.home, "bin")]);
    for (const more of [{}, { NODE_OPTIONS: "--no-such-option" }]) {
      const { code, stdout, stderr } = await bench.run(join(bench.home, "bin/env"), [], {
        env: { ...env, ...more },
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(bench.secrets.placesIn(stdout)).toEqual(["NAMED_TOKEN", "proxy"]);
      expect(bench.leaks()).toEqual([expect.stringMatching(/^stdout of /)]);
    }
    expect(await bench.kept()).toEqual([expect.stringMatching(COPY)]);
  });
});

test("no process of this machine ever had one among its arguments", async () => {
  expect(await watched.stop()).toEqual([]);
});

async function succeed(args: readonly string[], options: RunProgramOptions = {}): Promise<ProgramResult> {
  const result = await bench.toolbox(["--debug", ...args], options);
  expect(result.code, `${args.join(" ")}: ${result.stdout}${result.stderr}`).toBe(0);
  return result;
}

async function fail(
  args: readonly string[],
  code: number | undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const global of [["--debug"], ["--debug", "--json"]]) {
    const result = await bench.toolbox([...global, ...args], { env });
    const said = `${args.join(" ")}: ${result.stdout}${result.stderr}`;
    if (code === undefined) expect(result.code, said).not.toBe(0);
    else expect(result.code, said).toBe(code);
  }
}

/** Locks the workspace with a session. */
async function lock(session: string): Promise<void> {
  await bench.write("toolbox.yaml", workspaceText(bench.registry.host) + session);
  await succeed(["lock"]);
}

async function placesBelow(path: string): Promise<string[]> {
  const found = await findSecretFiles(path, bench.secrets.placesIn);
  return found.flatMap(({ places }) => places);
}

async function expectNothing(): Promise<void> {
  expect(bench.leaks()).toEqual([]);
  expect(await bench.kept()).toEqual([]);
}

function workspaceText(host: string): string {
  return [
    `registry: ${host}/team`,
    `platforms: [linux/${process.arch === "arm64" ? "arm64" : "amd64"}]`,
    `base: { image: "${host}/team/base:1" }`,
    "tools: { ourlint: { source: file, path: ./bin/ourlint, summary: House rules } }",
    "images: { tools: { tools: [ourlint] } }\n",
  ].join("\n");
}
