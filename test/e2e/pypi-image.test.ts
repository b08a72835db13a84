// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Lockfile } from "../../src/workspace/index.ts";
import { hasPrograms, type RunProgramOptions } from "../support/programs.ts";
import { canRunArm64 } from "../support/programs-qemu.ts";
import { type ReportedImage, serveRegistry } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

const TOOLBOX_YAML = `
registry: localhost:5000/lint
platforms: [linux/amd64, linux/arm64]
base: { debian: trixie, packages: [bash, libnss-unknown] }
tools:
  yamllint: { source: pypi, version: "*" }
images:
  lint: { tools: [yamllint] }
`;

describe.runIf(hasPrograms("pip"))("an image with a tool of the Python index", () => {
  let first: SmallWorkspace;
  let second: SmallWorkspace;
  let image: ReportedImage;
  let lock: Lockfile;

  beforeAll(async () => {
    [first, second] = [await makeWorkspace(), await makeWorkspace()];
    await first.write("toolbox.yaml", TOOLBOX_YAML);
    await run(first, ["lock"]);
    const text = readFileSync(join(first.path, "toolbox.lock"), "utf8");
    lock = JSON.parse(text) as Lockfile;
    await second.write("toolbox.yaml", TOOLBOX_YAML);
    await second.write("toolbox.lock", text);
    image = await build(first);
  });
  afterAll(async () => {
    await first?.remove();
    await second?.remove();
  });

  test("is locked with the Python that its base lacks, wheels for each CPU, and no address", () => {
    const platforms = lock.tools["yamllint"]?.platforms ?? {};
    const names = Object.entries(platforms).map(([platform, entry]) => {
      if (entry.source !== "pypi") throw new Error("it came from elsewhere");
      expect(entry.packages.map(({ name }) => name)).toContain("python3");
      return [platform, entry.wheels.map(({ name }) => name).filter((name) => name.startsWith("pyyaml"))];
    });
    expect(names).toEqual([
      ["linux/amd64", [expect.stringMatching(/cp313.*x86_64/) as string]],
      ["linux/arm64", [expect.stringMatching(/cp313.*aarch64/) as string]],
    ]);
    expect(JSON.stringify(lock.tools["yamllint"]?.platforms)).not.toMatch(/https?:/);
  });

  test("has the same digest when it is built again in another place", async () => {
    expect((await build(second)).index.digest).toBe(image.index.digest);
  });

  test("runs its tool, and the package database is in order", async () => {
    const said = await run(first, ["run", "--engine", "embedded", "yamllint", "--version"]);
    expect(said).toContain(`yamllint ${lock.tools["yamllint"]?.version}`);
    await first.write("bad.yaml", "a:   1\n");
    const { code, stdout } = await first.toolbox(["run", "--engine", "embedded", "yamllint", "bad.yaml"]);
    expect([code, stdout]).toEqual([1, expect.stringContaining("too many spaces after colon")]);
    expect(await run(first, ["run", "--engine", "embedded", "dpkg", "--audit"])).toBe("");
  });

  test.runIf(canRunArm64())("runs its tool on arm64", async () => {
    const registry = await serveRegistry(join(first.store, "..", "registry"));
    try {
      await run(first, ["publish", "--to", `${registry.host}/lint`]);
      const arm64 = image.platforms.find(({ platform }) => platform === "linux/arm64")?.manifest.digest;
      const reference = `${registry.host}/lint/lint@${arm64}`;
      const flags = ["run", "--engine", "embedded", "--image", reference];
      expect(await run(first, [...flags, "uname", "-m"])).toBe("aarch64\n");
      const said = await run(first, [...flags, "yamllint", "--version"]);
      expect(said).toContain(`yamllint ${lock.tools["yamllint"]?.version}`);
    } finally {
      await registry.stop();
    }
  });
});

/** What a command printed. Rejects when it fails. */
async function run(
  { toolbox }: SmallWorkspace,
  args: readonly string[],
  options: RunProgramOptions = { timeout: 900_000 },
): Promise<string> {
  const { code, stdout, stderr } = await toolbox(args, options);
  if (code !== 0) throw new Error(`toolbox ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function build(workspace: SmallWorkspace): Promise<ReportedImage> {
  const { images } = JSON.parse(await run(workspace, ["build", "--frozen", "--json"])) as {
    images: readonly ReportedImage[];
  };
  const [image] = images;
  if (image === undefined) throw new Error("nothing was built");
  return image;
}
