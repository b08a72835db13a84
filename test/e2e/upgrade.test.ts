// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { canServeDockerRegistry, serveDockerRegistry } from "../support/docker-registry.ts";
import { makeFolder, type ProgramResult, type TemporaryFolder } from "../support/programs.ts";
import { type RunningRegistry, serveRegistry } from "../support/programs-toolbox.ts";
import { prepareReleaser, type Releaser } from "../support/released-image.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

const REGISTRIES = [
  { title: "the embedded registry", isHere: true, serve: serveRegistry },
  { title: "docker-registry", isHere: canServeDockerRegistry(), serve: async () => serveDockerRegistry() },
].filter(({ isHere }) => isHere);

describe.each(REGISTRIES)("on $title, upgrade", ({ serve }) => {
  let folder: TemporaryFolder;
  let registry: RunningRegistry;
  let releaser: Releaser;
  let workspace: SmallWorkspace;
  const digests: Record<string, string> = {};

  beforeAll(async () => {
    folder = await makeFolder("registry");
    registry = await serve(join(folder.path, "registry"));
    releaser = await prepareReleaser(registry.host);
    digests["1.4.0"] = await releaser.release({ hello: "1.0.0", words: "3.0.0" }, ["1.4.0", "1.4", "latest"]);
  });
  afterAll(async () => {
    await releaser?.remove();
    await registry?.stop();
    await folder?.remove();
  });
  beforeEach(async () => {
    workspace = await makeWorkspace();
  });
  afterEach(() => workspace.remove());

  const upgrade = async (...args: readonly string[]): Promise<ProgramResult> =>
    workspace.toolbox(["upgrade", ...args]);
  const use = async (text: string): Promise<void> => {
    await workspace.write("toolbox.yaml", text);
    expect(await workspace.toolbox(["lock"])).toMatchObject({ code: 0 });
  };
  const pinned = (): string =>
    (JSON.parse(workspace.visible().lock ?? "") as { use: { digest: string } }).use.digest;

  test("says so when there is nothing to do", async () => {
    await use(`use: ${releaser.repository}:1.4\n`);
    const before = workspace.visible();
    expect(await upgrade()).toMatchObject({
      code: 0,
      stdout: `${releaser.repository}:1.4 is up to date (1.4.0)\n`,
      stderr: "",
    });
    expect(workspace.visible()).toEqual(before);
  });

  test("shows the tools, the releases and the bytes, and moves the lock; the next run has the new image", async () => {
    await use(`# ours\nuse: ${releaser.repository}:1.4 # the line that we follow\n`);
    const yaml = await readFile(join(workspace.path, "toolbox.yaml"), "utf8");
    const run = async (): Promise<ProgramResult> =>
      workspace.toolbox(["hello"], { env: { TOOLBOX_ENGINE: "embedded" } });
    expect(await run()).toMatchObject({ code: 0, stdout: "hello 1.0.0\n" });
    digests["1.4.1"] = await releaser.release({ hello: "1.0.1", words: "3.0.0" }, ["1.4.1"]);
    digests["1.4.2"] = await releaser.release({ hello: "1.0.2", more: "9.0.0" }, ["1.4.2", "1.4", "latest"]);
    const before = workspace.visible();

    const dry = await upgrade("--dry-run", "--json");
    expect(dry).toMatchObject({ code: 0, stderr: "" });
    const plan = JSON.parse(dry.stdout) as { download: number };
    expect(plan).toMatchObject({
      changed: true,
      dryRun: true,
      from: { digest: digests["1.4.0"], release: "1.4.0" },
      to: { digest: digests["1.4.2"], release: "1.4.2", reference: `${releaser.repository}:1.4` },
      releases: 2,
      tools: [
        { name: "hello", kind: "updated", from: "1.0.0", to: "1.0.2" },
        { name: "more", kind: "added", to: "9.0.0" },
        { name: "words", kind: "removed", from: "3.0.0" },
      ],
    });
    // Two scripts, their top layer and a config; the base with all its programs is there.
    expect(plan.download).toBeGreaterThan(100);
    expect(plan.download).toBeLessThan(100_000);
    for (const args of [["--frozen"], []] as const) {
      const refused = await workspace.toolbox(["upgrade", ...args], {
        env: { CI: args.length === 0 ? "true" : undefined },
      });
      expect(refused).toMatchObject({ code: 9, stderr: expect.stringContaining("[LOCK_FROZEN]") });
      expect(refused.stdout).toContain("hello 1.0.0 -> 1.0.2");
    }
    expect(workspace.visible()).toEqual(before);
    expect(await run()).toMatchObject({ code: 0, stdout: "hello 1.0.0\n" });

    const moved = await upgrade();
    expect(moved).toMatchObject({ code: 0, stderr: expect.stringContaining("commit it") });
    expect(moved.stdout.split("\n").slice(0, -2)).toEqual([
      `${releaser.repository}:1.4: 1.4.0 -> 1.4.2, 2 releases`,
      "  hello 1.0.0 -> 1.0.2",
      "  more 9.0.0 added",
      "  words 3.0.0 removed",
    ]);
    expect(pinned()).toBe(digests["1.4.2"]);
    expect(await readFile(join(workspace.path, "toolbox.yaml"), "utf8")).toBe(yaml);
    expect(await workspace.toolbox(["lock", "--check"])).toMatchObject({ code: 0 });
    expect(await run()).toMatchObject({ code: 0, stdout: "hello 1.0.2\n" });
    expect(await upgrade()).toMatchObject({ code: 0, stdout: expect.stringContaining("is up to date") });
  });

  test("leaves an exact tag alone until --to names another, and then keeps the comments", async () => {
    await use(`# ours\nuse: "${releaser.repository}:1.4.0" # reviewed\nsession: {}\n`);
    const before = workspace.visible();
    const idle = await upgrade();
    expect(idle).toMatchObject({ code: 0, stdout: expect.stringContaining("is up to date (1.4.0)") });
    expect(idle.stderr).toContain("newer releases: 1.4.2, 1.4.1; `toolbox upgrade --to 1.4.2`");
    expect(await upgrade("--to", "1.4.1", "--dry-run")).toMatchObject({ code: 0 });
    expect(workspace.visible()).toEqual(before);
    expect(await upgrade(`${releaser.repository}:1.4.1`)).toMatchObject({ code: 0 });
    expect(await readFile(join(workspace.path, "toolbox.yaml"), "utf8")).toBe(
      `# ours\nuse: "${releaser.repository}:1.4.1" # reviewed\nsession: {}\n`,
    );
    expect(pinned()).toBe(digests["1.4.1"]);
    expect(await workspace.toolbox(["lock", "--check"])).toMatchObject({ code: 0 });
  });

  test("goes back as well, and to a digest", async () => {
    await use(`use: ${releaser.repository}\n`);
    expect(await upgrade("--to", "1.4.0")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/1\.4\.2 -> 1\.4\.0\n {2}hello 1\.0\.2 -> 1\.0\.0\n/),
    });
    expect(pinned()).toBe(digests["1.4.0"]);
    expect(await upgrade("--to", digests["1.4.1"] ?? "")).toMatchObject({ code: 0 });
    expect(pinned()).toBe(digests["1.4.1"]);
    expect(await workspace.toolbox(["lock", "--check"])).toMatchObject({ code: 0 });
  });

  test("a digest in toolbox.yaml moves only when told where to", async () => {
    await use(`use: ${releaser.repository}:1.4@${digests["1.4.0"] ?? ""}\n`);
    const before = workspace.visible();
    expect(await upgrade()).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("hello 1.0.0 -> 1.0.2"),
      stderr: expect.stringContaining("--to TAG"),
    });
    expect(workspace.visible()).toEqual(before);
    expect(await upgrade("--to", "1.4")).toMatchObject({ code: 0 });
    expect(await readFile(join(workspace.path, "toolbox.yaml"), "utf8")).toBe(
      `use: ${releaser.repository}:1.4@${digests["1.4.2"] ?? ""}\n`,
    );
    expect(await workspace.toolbox(["lock", "--check"])).toMatchObject({ code: 0 });
  });

  test("refuses an image that is not there any more for a CPU that is pinned", async () => {
    await use(`use: ${releaser.repository}:1.4.0\n`);
    const other = process.arch === "arm64" ? "linux/amd64" : "linux/arm64";
    const lock = JSON.parse(workspace.visible().lock ?? "") as { use: { platforms: Record<string, string> } };
    lock.use.platforms[other] = digests["1.4.1"] ?? "";
    await workspace.write("toolbox.lock", JSON.stringify(lock));
    const before = workspace.visible();
    expect(await upgrade("--to", "1.4.2")).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(new RegExp(`is not there for ${other}.*\\[PLATFORM_UNAVAILABLE\\]`)),
    });
    expect(workspace.visible()).toEqual(before);
  });

  test("refuses a tag that is not there, and another image", async () => {
    await use(`use: ${releaser.repository}:1.4\n`);
    const before = workspace.visible();
    expect(await upgrade("--to", "9.9.9")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("[IMAGE_NOT_FOUND]"),
    });
    expect(await upgrade("team/other:1")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is not the image that this workspace uses"),
    });
    expect(workspace.visible()).toEqual(before);
  });
});

describe("upgrade without a registry", () => {
  let workspace: SmallWorkspace;
  beforeEach(async () => {
    workspace = await makeWorkspace();
  });
  afterEach(() => workspace.remove());

  test("says that it cannot be reached, and that the pinned image still runs", async () => {
    const folder = await makeFolder("registry");
    const registry = await serveRegistry(join(folder.path, "registry"));
    const releaser = await prepareReleaser(registry.host);
    await releaser.release({ hello: "1.0.0" }, ["1"]);
    await workspace.write("toolbox.yaml", `use: ${releaser.repository}:1\n`);
    expect(await workspace.toolbox(["lock"])).toMatchObject({ code: 0 });
    await registry.stop();
    await releaser.remove();
    await folder.remove();
    const before = workspace.visible();
    const { code, stderr } = await workspace.toolbox(["upgrade"]);
    expect(code).toBe(6);
    expect(stderr).toMatch(/cannot be reached \(ECONNREFUSED\) \[REGISTRY_UNREACHABLE\]\nhint: {2}Check/);
    expect(stderr).toContain("the image that is pinned runs as before");
    expect(workspace.visible()).toEqual(before);
  });

  test.each([
    ["images: { a: { tools: [jq] } }\n", 2, "Run `toolbox update`"],
    ["platforms: [linux/amd64]\n", 2, "Write `use: REF`"],
    ["use: localhost/team/tools:1\n", 3, "Run `toolbox lock`"],
  ])("of %j says what to run instead", async (text, code, hint) => {
    await workspace.write("toolbox.yaml", text);
    expect(await workspace.toolbox(["upgrade"])).toMatchObject({
      code,
      stderr: expect.stringContaining(hint),
    });
  });
});
