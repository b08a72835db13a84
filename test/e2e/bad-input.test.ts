// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ErrorCode } from "../../src/core/error.ts";
import { hasPrograms, type ProgramResult } from "../support/programs.ts";
import { elfProgram } from "../support/small-build.ts";
import { leftoversIn, makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";
import { startUpstream, type UpstreamServer } from "../support/upstream-server.ts";

/** ELF's number of the x86-64 CPU. */
const X86_64 = 62;
const BASE = "base: { debian: trixie }\n";

/** A module that puts a program's clock forward, as on a machine that wakes up in a later decade. */
const TWENTY_YEARS_ON = `data:text/javascript,${encodeURIComponent(`
  const Present = Date;
  globalThis.Date = class extends Present {
    constructor(...given) { super(...(given.length === 0 ? [Date.now()] : given)); }
    static now() { return Present.now() + 20 * 365 * 864e5; }
  };
`)}`;

let work: SmallWorkspace;
let upstream: UpstreamServer;
beforeAll(async () => {
  work = await makeWorkspace();
  upstream = await startUpstream();
  await work.write("house-rules", "#!/bin/sh\necho house-rules 1\n");
  await work.write("toolbox.yaml", good());
  expectSuccess(await work.toolbox(["build", "--json"]));
});
afterAll(async () => {
  await upstream?.close();
  await work?.remove();
});

describe("bad input is one line that says what, where and what to do, and leaves nothing behind:", () => {
  test("malformed YAML", async () => {
    await work.write("toolbox.yaml", `${BASE}images: { broken: { tools: [house-rules }\n`);
    const error = await expectFailure(["lock"], "WORKSPACE_INVALID");
    expect(error.position).toMatchObject({ line: 2 });
    await expectMended(["lock"]);
  });

  test("a tool without a source for one platform", async () => {
    await work.write("toolbox.yaml", withTool("{ source: file, path: { linux/amd64: ./house-rules } }"));
    expect((await expectFailure(["lock"], "WORKSPACE_INVALID", "PLATFORM_UNAVAILABLE")).message).toContain(
      "arm64",
    );
    await expectMended(["lock"]);
  });

  test("a wrong checksum", async () => {
    upstream.fault = "wrong-checksum";
    await work.write("toolbox.yaml", withUpstream());
    await expectFailure(["lock"], "CHECKSUM_MISMATCH");
    upstream.fault = "none";
    expectSuccess(await work.toolbox(["lock", "--json"]));
    await expectMended(["lock"]);
  });

  test("a truncated download", async () => {
    const other = await startUpstream();
    other.fault = "truncated";
    await work.write("toolbox.yaml", withUpstream(other.url));
    await expectFailure(["lock"], "DOWNLOAD_TRUNCATED");
    other.fault = "none";
    expectSuccess(await work.toolbox(["lock", "--json"]));
    await other.close();
    await expectMended(["lock"]);
  });

  test("an unsigned Debian index", async () => {
    upstream.pages.set("/debian/dists/trixie/InRelease", "Origin: Debian\nSuite: stable\nCodename: trixie\n");
    await work.write(
      "toolbox.yaml",
      good().replace("trixie", "trixie, packages: [less]") +
        `mirrors: { debian: "${upstream.url}/debian" }\n`,
    );
    await expectFailure(["lock"], "DEBIAN_SIGNATURE_INVALID");
    await expectMended(["lock"]);
  });

  test("a Debian index that has expired", async () => {
    await work.write("toolbox.yaml", good().replace("trixie", "trixie, packages: [less]"));
    const { message } = await expectFailure(["lock"], "DEBIAN_INDEX_EXPIRED", "DEBIAN_INDEX_EXPIRED", {
      env: { NODE_OPTIONS: `--import=${TWENTY_YEARS_ON}` },
    });
    expect(message).toContain("trixie");
    await expectMended(["lock"]);
  });

  test("an amd64 binary that poses as arm64", async () => {
    await work.write("posing", elfProgram(X86_64, "posing"));
    await work.write("toolbox.yaml", withTool("{ source: file, path: ./posing, binaries: [posing] }"));
    expectSuccess(await work.toolbox(["lock", "--json"]));
    expect((await expectFailure(["build"], "BINARY_WRONG_PLATFORM")).message).toMatch(
      /posing.*arm64|arm64.*posing/,
    );
    await expectMended(["build"]);
  });

  test("two tools that own the same path", async () => {
    await work.write(
      "toolbox.yaml",
      withTool("{ source: file, path: ./house-rules, binaries: [house-rules] }"),
    );
    const { message } = await expectFailure(["build"], "WORKSPACE_INVALID", "PATH_CONFLICT");
    expect(message).toContain("house-rules");
    await expectMended(["build"]);
  });

  test("a registry that is down", async () => {
    const host = `127.0.0.1:${await closedPort()}`;
    const { message } = await expectFailure(
      ["publish", "--to", `${host}/team`, "--tag", "1"],
      "REGISTRY_UNREACHABLE",
    );
    expect(message).toContain(host);
  });

  test("an engine that is not running", async () => {
    const env = { DOCKER_HOST: "unix:///nonexistent/docker.sock" };
    await expectFailure(["run", "--engine", "docker", "true"], "ENGINE_NOT_RUNNING", "ENGINE_NOT_FOUND", {
      env,
    });
  });

  test.runIf(process.getuid?.() === 0 && hasPrograms("mount", "umount"))("a full disk", async () => {
    const small = `${work.store}-small`;
    await mkdir(small);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", small]);
    try {
      await expectFailure(["build"], "DISK_FULL", "DISK_FULL", { env: { TOOLBOX_STORE: small } });
      expect(leftoversIn(small)).toEqual([]);
      execFileSync("mount", ["-o", "remount,size=2g", small]);
      expectSuccess(await work.toolbox(["build", "--json"], { env: { TOOLBOX_STORE: small } }));
    } finally {
      execFileSync("umount", [small]);
    }
  });

  test("Ctrl-C in the middle", async () => {
    const env = { TOOLBOX_STORE: `${work.store}-interrupted` };
    const stopped = await work.toolbox(["build"], {
      env,
      onStart: (child) => child.stderr?.once("data", () => child.kill("SIGINT")),
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/interrupted\n$/);
    expect(stopped.stdout).toBe("");
    expect(leftoversIn(env.TOOLBOX_STORE)).toEqual([]);
    expectSuccess(await work.toolbox(["build", "--json"], { env }));
  });
});

interface ErrorReport {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly position?: { readonly line: number };
}

/** Runs a command that must fail with one of two codes, first for people, then for scripts. */
async function expectFailure(
  args: readonly string[],
  code: ErrorCode,
  or: ErrorCode = code,
  options: Parameters<SmallWorkspace["toolbox"]>[1] = {},
): Promise<ErrorReport> {
  const before = work.visible();
  const people = await work.toolbox([...args.slice(0, 1), "--no-progress", ...args.slice(1)], options);
  expect(people.stderr.split("\n").filter((line) => line.startsWith("error: "))).toHaveLength(1);
  expect(people.stderr).not.toMatch(/^\s+at /m);
  const scripts = await work.toolbox([...args.slice(0, 1), "--json", ...args.slice(1)], options);
  expect(scripts.code).not.toBe(0);
  expect(scripts.code).toBe(people.code);
  const { error } = JSON.parse(scripts.stdout) as { error: ErrorReport };
  expect([code, or]).toContain(error.code);
  expect(people.stderr).toContain(`[${error.code}]`);
  expect(error.hint).toMatch(/\w/);
  expect(work.visible()).toEqual({ ...before, leftovers: [] });
  return error;
}

/** Puts the good workspace back: the same command must succeed at once. */
async function expectMended(args: readonly string[]): Promise<void> {
  await work.write("toolbox.yaml", good());
  expectSuccess(await work.toolbox([...args, "--json"]));
  expect(work.visible().leftovers).toEqual([]);
}

function expectSuccess({ code, stdout, stderr }: ProgramResult): void {
  expect({ code, said: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, said: "" });
}

function good(): string {
  return `${BASE}tools: { house-rules: { source: file, path: ./house-rules } }\nimages: { small: { tools: [house-rules] } }\n`;
}

function withTool(wish: string): string {
  return `${BASE}tools:
  house-rules: { source: file, path: ./house-rules }
  other: ${wish}
images: { small: { tools: [house-rules, other] } }
`;
}

function withUpstream(url: string = upstream.url): string {
  return withTool(`
    definition:
      summary: Says hello
      homepage: http://localhost
      license: Apache-2.0
      binaries: [greet]
      version: { args: [--version], contains: "{{version}}" }
      examples: []
      sources:
        - source: release
          url: ${url}/{{version}}/greet-{{arch}}
          archive: none
          checksums: { url: "${url}/{{version}}/sums" }
          versions: { url: "${url}/versions", format: text }
`);
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 1;
}
