// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDockerCredentials } from "./docker-credentials.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "toolbox-credentials-"));
});
afterEach(async () => {
  await rm(home, { recursive: true });
});

describe("openDockerCredentials", () => {
  test("finds a login by the exact host and port", async () => {
    await writeDocker({ auths: { "r.example:5000": login("ann", "s:e:c") } });
    expect(await find("r.example:5000")).toEqual({ kind: "password", username: "ann", password: "s:e:c" });
    expect(await find("r.example")).toBeUndefined();
    expect(await find("r.example:5001")).toBeUndefined();
    expect(await find("evil.r.example:5000")).toBeUndefined();
  });

  test.each(["https://index.docker.io/v1/", "docker.io"])("finds Docker Hub under %s", async (key) => {
    await writeDocker({ auths: { [key]: login("ann", "pw") } });
    expect(await find("docker.io")).toMatchObject({ username: "ann" });
  });

  test("knows identity tokens and registry tokens", async () => {
    await writeDocker({
      auths: { a: { ...login("ann", "pw"), identitytoken: "id" }, b: { registrytoken: "reg" } },
    });
    expect(await find("a")).toEqual({ kind: "identity-token", token: "id" });
    expect(await find("b")).toEqual({ kind: "registry-token", token: "reg" });
  });

  test("prefers podman's login, and there the one for the part of the registry", async () => {
    await writeDocker({ auths: { "r.example": login("docker", "pw") } });
    await write(join(home, ".config", "containers", "auth.json"), {
      auths: { "r.example": login("podman", "pw"), "r.example/team": login("team", "pw") },
    });
    expect(await find("r.example", "other/x")).toMatchObject({ username: "podman" });
    expect(await find("r.example", "team/x")).toMatchObject({ username: "team" });
  });

  test("asks the helper of the registry, without a shell, and passes the environment", async () => {
    await writeHelper("house", 'read server; echo "{\\"Username\\":\\"$WHO\\",\\"Secret\\":\\"$server\\"}"');
    await writeDocker({ credHelpers: { "r.example": "house" }, auths: { "r.example": login("file", "pw") } });
    expect(await find("r.example")).toEqual({ kind: "password", username: "me", password: "r.example" });
  });

  test("takes a token from a helper", async () => {
    await writeHelper("store", 'cat >/dev/null; echo "{\\"Username\\":\\"<token>\\",\\"Secret\\":\\"t\\"}"');
    await writeDocker({ credsStore: "store" });
    expect(await find("any.example")).toEqual({ kind: "identity-token", token: "t" });
  });

  test("goes on to the file when the helper keeps nothing", async () => {
    await writeHelper("store", 'cat >/dev/null; echo "credentials not found in native keychain"; exit 1');
    await writeDocker({ credsStore: "store", auths: { "r.example": login("file", "pw") } });
    expect(await find("r.example")).toMatchObject({ username: "file" });
    expect(await find("other.example")).toBeUndefined();
  });

  test.each([
    ["a helper that is not installed", { credsStore: "absent" }],
    ["a helper whose name is a path", { credsStore: "../../bin/sh" }],
    ["a helper whose name is a command", { credHelpers: { "r.example": "x;id" } }],
    ["a login that is no login", { auths: { "r.example": { auth: "bm9jb2xvbg==" } } }],
  ])("refuses %s", async (_, config) => {
    await writeDocker(config);
    await expect(find("r.example")).rejects.toMatchObject({ code: "CREDENTIALS_INVALID" });
  });

  test("never shows what a broken file or helper says", async () => {
    await write(join(home, ".docker", "config.json"), '{"auths": "SENTINEL');
    await expect(find("r.example")).rejects.toSatisfy((error) => !describeAll(error).includes("SENTINEL"));
    await writeHelper("store", "cat >/dev/null; echo SENTINEL");
    await writeDocker({ credsStore: "store" });
    await expect(find("r.example")).rejects.toSatisfy((error) => !describeAll(error).includes("SENTINEL"));
  });

  test("finds nobody where there is no file", async () => {
    expect(await find("r.example")).toBeUndefined();
  });
});

const login = (user: string, password: string): { auth: string } => ({
  auth: Buffer.from(`${user}:${password}`).toString("base64"),
});

async function find(registry: string, repository = "a/b"): Promise<unknown> {
  const env = { PATH: `${home}/bin:/usr/bin:/bin`, WHO: "me" };
  return openDockerCredentials({ home, env })(registry, { repository });
}

async function writeDocker(config: unknown): Promise<void> {
  await write(join(home, ".docker", "config.json"), config);
}

async function write(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof value === "string" ? value : JSON.stringify(value));
}

async function writeHelper(name: string, script: string): Promise<void> {
  const path = join(home, "bin", `docker-credential-${name}`);
  await write(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

function describeAll(error: unknown): string {
  return error instanceof Error
    ? `${error.message} ${error.stack} ${describeAll(error.cause)}`
    : String(error);
}
