// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLayoutStore } from "../../src/oci/index.ts";
import { putEngineImage } from "../support/engine-image.ts";
import {
  hasPrograms,
  makeFolder,
  type ProgramResult,
  ROOT,
  type TemporaryFolder,
} from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { buildQuickstart, QUICKSTART, QUICKSTART_STORE } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";
import { runOnTerminal, type RunOnTerminalOptions, type TerminalResult } from "../support/terminal.ts";

const TOOLBOX = join(ROOT, "dist", "cli", "main.js");
const CLUSTERS = ["dev", "prod"];
const KUBECONFIG = JSON.stringify({
  apiVersion: "v1",
  kind: "Config",
  "current-context": "dev",
  clusters: CLUSTERS.map((name) => ({ name, cluster: { server: `https://${name}.example.com` } })),
  users: [{ name: "me", user: { token: "t0ken" } }],
  contexts: CLUSTERS.map((name) => ({ name, context: { cluster: name, user: "me" } })),
});
const canSandbox = process.getuid?.() === 0 && hasPrograms("unshare");

/** Replaces the context as kubectl would, with what every image has. */
const SWITCH = 'text=$(<"$KUBECONFIG"); printf "%s\\n" "${text/context: dev/context: prod}" >"$KUBECONFIG"';

let workspace: SmallWorkspace;
let home: TemporaryFolder;
beforeAll(async () => {
  workspace = await makeWorkspace();
  home = await makeFolder("home");
  const store = await openLayoutStore(workspace.store);
  await store.tag("tools:latest", await putEngineImage(store));
  await workspace.write("toolbox.lock", lockWith(["kubeconfig"]));
  await mkdir(join(workspace.path, "charts"));
  await mkdir(join(home.path, ".kube"));
  await writeFile(join(home.path, ".kube", "config"), KUBECONFIG);
});
afterAll(async () => {
  await workspace?.remove();
  await home?.remove();
});

describe.runIf(canSandbox)("a shell on a terminal", () => {
  test("has a prompt with image, version, context and folder, and its exit code is the shell's", async () => {
    const { screen, code } = await shell(
      [],
      [
        { after: /\[tools [0-9a-f]{12} \| dev\] \/work [#$] /, type: "cd charts\r" },
        { after: /\| dev\] \/work\/charts [#$] /, type: "echo kept-$((40 + 2))\r" },
        { after: /kept-42\r\n/, type: "exit 3\r" },
      ],
    );
    expect(screen).toContain("an image without a list of its tools");
    expect(code).toBe(3);
  });

  test("remembers what was typed in the shell before", async () => {
    const { code } = await shell(
      [],
      [
        { after: /[#$] $/, type: "\u001B[A" },
        { after: /exit 3/, type: "\u001B[A" },
        { after: /cho kept-\$\(\(40 \+ 2\)\)/, type: "\r" },
        { after: /kept-42\r\n/, type: "exit\r" },
      ],
    );
    expect(code).toBe(0);
  });

  test("has a context of its own with --context, and others keep theirs meanwhile", async () => {
    const args = ["--context", "prod", "--namespace", "shop"];
    const running = shell(args, [
      { after: /\| prod\] \/work [#$] /, type: 'cat "$KUBECONFIG"; echo >/work/up\r' },
      { after: /shop[^]*[#$] $/, type: "until [ -e /work/seen ]; do sleep 0.1; done; exit\r" },
    ]);
    await expect.poll(() => readdir(workspace.path), { timeout: 300_000, interval: 200 }).toContain("up");
    const { stdout } = await toolbox(["sh", "-c", 'cat "$KUBECONFIG"']);
    await writeFile(join(workspace.path, "seen"), "");
    const { screen, code } = await running;
    expect(stdout).toContain("current-context: dev");
    expect(stdout).not.toContain("shop");
    expect(code).toBe(0);
    expect(screen).toContain("https://prod.example.com");
    expect(screen).not.toContain("https://dev.example.com");
    expect(await readdir(join(workspace.env["XDG_STATE_HOME"] ?? "", "toolbox", "contexts"))).toEqual([]);
    expect(await readFile(join(home.path, ".kube", "config"), "utf8")).toBe(KUBECONFIG);
  });

  test("shows in its prompt that the context was switched", async () => {
    const { code } = await shell(
      [],
      [
        { after: /\| dev\] \/work [#$] /, type: `${SWITCH}\r` },
        { after: /\| prod\] \/work [#$] /, type: "exit\r" },
      ],
    );
    expect(code).toBe(0);
  });
});

describe.runIf(canSandbox)("a shell with -c", () => {
  test("runs one line, with pipes and the exit code of the last", async () => {
    const line = "printf '%s\\n' a b | while read -r x; do echo \"<$x>\"; done; exit 4";
    expect(await toolbox(["shell", "-c", line])).toMatchObject({ code: 4, stdout: "<a>\n<b>\n", stderr: "" });
  });

  test("shows one more folder, and keeps it read-only", async () => {
    const args = ["shell", "-v", `${home.path}/.kube:/opt/kube`, "-c"];
    const line = "cat /opt/kube/config; : 2>/dev/null >/opt/kube/x || echo refused";
    expect((await toolbox([...args, line])).stdout).toBe(`${KUBECONFIG}refused\n`);
    expect((await toolbox(["shell", "-v", "/:/all", "-c", "true"])).stderr).toContain("MOUNT_REFUSED");
  });

  test("runs as root with --root, and off the network with --network none", async () => {
    const line =
      "id -u; while IFS=': ' read -r name rest; do case $rest in *[0-9]*) echo $name;; esac; done </proc/net/dev";
    expect((await toolbox(["shell", "--root", "--network", "none", "-c", line])).stdout).toBe("0\nlo\n");
  });

  test.each([
    [["--memory", "1g"], "cannot limit memory"],
    [["--publish", "8080:80"], "cannot publish ports"],
    [["--network", "shop_default"], 'has no network "shop_default"'],
  ])("refuses %j where the engine cannot do it", async (options, reason) => {
    const { code, stdout, stderr } = await toolbox(["shell", ...options, "-c", "echo ran"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(reason);
  });

  test("refuses --context where the session names no kubeconfig", async () => {
    const other = await makeWorkspace();
    await other.write("toolbox.lock", lockWith([]));
    const store = await openLayoutStore(other.store);
    await store.tag("tools:latest", await putEngineImage(store));
    const args = ["shell", "--engine", "namespaces", "--context", "prod", "-c", "true"];
    const { code, stderr } = await other.toolbox(args, { env: { HOME: home.path } });
    await other.remove();
    expect(code).toBe(2);
    expect(stderr).toContain("--context needs a kubeconfig");
  });
});

describe.runIf(canStartDocker())("a shell on docker", () => {
  let docker: RunningDocker;
  beforeAll(async () => {
    docker = await startDocker();
  });
  afterAll(async () => docker?.stop());

  test("has the prompt, and the limits that it was given", async () => {
    const options = ["--engine", "docker", "--pids", "77", "--memory", "200m", "--cpus", "0.5"];
    const read = "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null";
    const steps = [
      { after: /\] \/work [#$] /, type: `${read}\r` },
      { after: /77\r\n/, type: "exit 0\r" },
    ];
    expect((await shell(options, steps, docker.env)).code).toBe(0);
  });

  test("keeps the limits of the workspace, but for those of the command line", async () => {
    await workspace.write("toolbox.lock", lockWith([], { pids: 50, memory: 128 * 1024 ** 2 }));
    const read = "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; exit 0";
    const env = { ...docker.env, HOME: home.path, TOOLBOX_ENGINE: "docker" };
    expect((await workspace.toolbox(["sh", "-c", read], { env })).stdout).toBe("50\n");
    const { stdout } = await workspace.toolbox(["run", "--pids", "60", "sh", "-c", read], { env });
    expect(stdout).toBe("60\n");
    await workspace.write("toolbox.lock", lockWith(["kubeconfig"]));
  });
});

describe.runIf(canSandbox)("a shell in an image that we built", () => {
  beforeAll(async () => {
    await buildQuickstart();
  });

  test("greets with the tools, and completes each of those that offer it", async () => {
    const steps = [
      {
        after: /tooling-k8s:.*kubectl[^]*toolbox-help shows[^]*\] \/work [#$] /,
        type: "kubectl cluster-in\t",
      },
      { after: /kubectl cluster-info /, type: "\u0015helm depen\t" },
      { after: /helm dependency /, type: "\u0015yq eval-a\t" },
      { after: /yq eval-all /, type: "\u0015exit\r" },
    ];
    const { code } = await shell(
      ["--engine", "namespaces"],
      steps,
      { TOOLBOX_STORE: QUICKSTART_STORE },
      QUICKSTART,
    );
    expect(code).toBe(0);
  });
});

function lockWith(credentials: readonly string[], limits?: Readonly<Record<string, number>>): string {
  return JSON.stringify({
    lockVersion: 1,
    images: { tools: { tools: [] } },
    session: { image: "tools", mounts: [], env: [], credentials, limits },
  });
}

async function toolbox(args: readonly string[]): Promise<ProgramResult> {
  return workspace.toolbox(args, { env: { HOME: home.path, TOOLBOX_ENGINE: "namespaces" } });
}

async function shell(
  options: readonly string[],
  steps: RunOnTerminalOptions["steps"],
  more: Readonly<Record<string, string>> = {},
  cwd: string = workspace.path,
): Promise<TerminalResult> {
  const env = { ...workspace.env, HOME: home.path, TOOLBOX_ENGINE: "namespaces", NO_COLOR: "1", ...more };
  return runOnTerminal(process.execPath, [TOOLBOX, "shell", ...options], { cwd, env, steps: steps ?? [] });
}
