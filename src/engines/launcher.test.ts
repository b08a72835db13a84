// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Session } from "../session/index.ts";
import type { ClientLaunch } from "./engine.ts";
import { FOLDER_MARK, quote } from "./launch-word.ts";
import { launchedSession, type LauncherRequest, renderLauncher } from "./launcher.ts";

const LOCK = "{}\n";

let folder = "";
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "toolbox-launcher-")));
  await mkdir(join(folder, "my shop", "a b"), { recursive: true });
  await writeFile(join(folder, "my shop", "toolbox.lock"), LOCK);
  await writeFile(join(folder, "engine"), '#!/bin/sh\nprintf "[%s]" "$@"\n', { mode: 0o755 });
  await writeFile(join(folder, "old"), "");
  await utimes(join(folder, "old"), 1, 1);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a launcher", () => {
  test("becomes the engine's command, from the folder of the caller, byte for byte", async () => {
    expect(await launch(["a b", "", "$(id)", "'", "\n"])).toBe(
      "[run][--interactive][--env=TOKEN][--workdir=/work/a b][--env=SET=it's][sha256:abc][kubectl][a b][][$(id)]['][\n]",
    );
  });

  test("passes the variables of today by name, and no value of a secret", async () => {
    expect(renderLauncher(request())).not.toContain("s3cret");
    expect(await launch([], { TOKEN: "new", NO_COLOR: "1" })).toContain("[--env=NO_COLOR][--env=TOKEN]");
  });

  test.each<[string, Partial<LauncherRequest>, Record<string, string>]>([
    ["another lock", { lockDigest: "0".repeat(64) }, {}],
    ["another variable", {}, { DOCKER_HOST: "tcp://x" }],
    ["a secret that is gone", {}, { TOKEN: "" }],
    ["a file that has come", { files: new Map([["/", false]]) }, {}],
    ["a file that is newer", { files: new Map([["/proc/self", true]]) }, {}],
    ["an engine that is gone", { plan: clientPlan({ program: "/nowhere/docker" }) }, {}],
    ["a mount that is gone", { plan: clientPlan({ sources: ["/nowhere/home"] }) }, {}],
    ["a link that leads elsewhere", { plan: clientPlan({ links: new Map([["/", "/proc"]]) }) }, {}],
    ["another umask", { session: { ...exampleSession(), umask: 0o077 } }, {}],
  ])("gives way to toolbox for %s", async (_, change, env) => {
    expect(await launch([], env, change)).toBe("fell back");
  });

  test("sees a file again that is as old as it was", async () => {
    const files = new Map([[join(folder, "old"), true]]);
    expect(await launch([], {}, { files })).toContain("[kubectl]");
  });

  test("is made of a session without terminal, folder and changing variables", () => {
    const { argv, tty, workdir, env, secrets } = launchedSession({ ...exampleSession(), tty: true });
    expect({ argv, tty, workdir, env, secrets }).toEqual({
      argv: [],
      tty: false,
      workdir: FOLDER_MARK,
      env: { SET: "it's" },
      secrets: [],
    });
  });
});

test.each(["plain", "a b", "", "'", "a'b'", "$x`y`", "\n", "~", "*"])(
  "%j is quoted for the shell",
  async (word) => {
    const { stdout } = await promisify(execFile)("sh", ["-c", `printf %s ${quote(word)}`]);
    expect(stdout).toBe(word);
  },
);

function exampleSession(): Session {
  return {
    image: { digest: `sha256:${"a".repeat(64)}`, platform: "linux/amd64" },
    argv: ["kubectl"],
    workdir: "/work/elsewhere",
    mounts: [],
    files: [],
    copies: [],
    env: { SET: "it's", TOKEN: "s3cret", TERM: "xterm", NO_COLOR: "1" },
    secrets: ["TOKEN"],
    user: { uid: 1, gid: 1, name: "ada", group: "ada", home: "/home/toolbox" },
    tty: false,
    network: "host",
    hostname: "toolbox",
    umask: 0o022,
    limits: {},
    ports: [],
  };
}

function clientPlan(change: Partial<ClientLaunch> = {}): ClientLaunch {
  return {
    kind: "client",
    signalsContainer: false,
    program: join(folder, "engine"),
    argv: ["run", "--interactive", `--workdir=${FOLDER_MARK}`, "--env=SET=it's", "sha256:abc"],
    sources: ["/"],
    links: new Map([["/", "/"]]),
    ...change,
  };
}

function request(change: Partial<LauncherRequest> = {}): LauncherRequest {
  return {
    workspace: join(folder, "my shop"),
    lockFile: join(folder, "my shop", "toolbox.lock"),
    lockDigest: createHash("sha256").update(LOCK).digest("hex"),
    session: exampleSession(),
    plan: clientPlan(),
    variables: new Map([["DOCKER_HOST", undefined]]),
    files: new Map(),
    ...change,
  };
}

/** What a shim does with it. */
async function launch(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  change: Partial<LauncherRequest> = {},
): Promise<string> {
  const launcher = join(folder, "launcher.sh");
  await writeFile(launcher, renderLauncher(request(change)));
  const script = 'umask 022; launcher=$1 folder=$2 tool=kubectl; shift 2; . "$launcher"; printf "fell back"';
  const { stdout } = await promisify(execFile)(
    "sh",
    ["-c", script, "sh", launcher, join(folder, "my shop", "a b"), ...words],
    { env: { PATH: process.env["PATH"], TOKEN: "today", ...env } },
  );
  return stdout;
}
