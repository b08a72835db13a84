// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Lockfile } from "../../src/workspace/index.ts";
import { hasPrograms, type ProgramResult } from "../support/programs.ts";
import { canRunArm64 } from "../support/programs-qemu.ts";
import { type ReportedImage, serveRegistry } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

const TOOLBOX_YAML = `
registry: localhost:5000/lint
platforms: [linux/amd64, linux/arm64]
base: { debian: trixie, packages: [bash, libnss-unknown, nodejs] }
tools:
  prettier: { source: npm, version: "3" }
  markdownlint-cli2: { source: npm, version: "0.18" }
images:
  lint: { tools: [prettier, markdownlint-cli2] }
compression: zstd
`;
/** Where nothing answers: what is needed must be in the cache. */
const NOWHERE = "http://127.0.0.1:1";

describe.runIf(hasPrograms("npm"))("an image with tools of an npm registry", () => {
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
    await second.write("toolbox.yaml", `${TOOLBOX_YAML}mirrors: { npm: ${NOWHERE}, debian: ${NOWHERE} }\n`);
    await second.write("toolbox.lock", text);
    image = await build(first);
  });
  afterAll(async () => {
    await first?.remove();
    await second?.remove();
  });

  test("is locked with every package's place, version, integrity and size, and no address", () => {
    for (const entry of Object.values(lock.tools["markdownlint-cli2"]?.platforms ?? {})) {
      if (entry.source !== "npm") throw new Error("it came from elsewhere");
      expect([entry.node, entry.packages]).toEqual(["20", []]);
      expect(entry.modules.length).toBeGreaterThan(30);
      expect(entry.modules.map(({ path }) => path)).toContain("node_modules/markdownlint-cli2");
    }
    expect(JSON.stringify(Object.values(lock.tools).map(({ platforms }) => platforms))).not.toMatch(
      /https?:/,
    );
  });

  test("has the same digest when it is built again in another place, from the cache alone", async () => {
    const again = await build(second, ["--platform", "linux/arm64"]);
    expect(digestOf(again, "linux/arm64")).toBe(digestOf(image, "linux/arm64"));
  });

  test("runs its tools, each in a folder of its own, and tells in the image what is inside", async () => {
    await first.write("bad.md", "#Title\n");
    const said = await run(first, ["run", "--engine", "embedded", "prettier", "--version"]);
    expect(said).toBe(`${lock.tools["prettier"]?.version}\n`);
    const lint = await first.toolbox(["run", "--engine", "embedded", "markdownlint-cli2", "bad.md"]);
    expect([lint.code, lint.stderr]).toEqual([1, expect.stringContaining("MD018") as string]);
    const manifest = await run(first, ["run", "--engine", "embedded", "cat", "/etc/toolbox/manifest.json"]);
    expect(manifest).toContain(`"pkg:npm/prettier@${lock.tools["prettier"]?.version}"`);
    expect(manifest).toMatch(/"license": "MIT"/);
  });

  test.runIf(canRunArm64())("runs its tools on arm64", async () => {
    const registry = await serveRegistry(join(first.store, "..", "registry"));
    try {
      await run(first, ["publish", "--to", `${registry.host}/lint`]);
      const reference = `${registry.host}/lint/lint@${digestOf(image, "linux/arm64")}`;
      const flags = ["run", "--engine", "embedded", "--image", reference];
      expect(await run(first, [...flags, "uname", "-m"])).toBe("aarch64\n");
      expect(await run(first, [...flags, "prettier", "--version"])).toBe(
        `${lock.tools["prettier"]?.version}\n`,
      );
      const lint = await first.toolbox([...flags, "markdownlint-cli2", "none.md"], { timeout: 900_000 });
      expect(lint.stdout).toContain(`markdownlint-cli2 v${lock.tools["markdownlint-cli2"]?.version}`);
    } finally {
      await registry.stop();
    }
  });

  test("is not built where a package has another integrity than was locked, which is one line", async () => {
    const text = JSON.stringify(lock);
    const integrity = /"sha512-[^"]+"/.exec(text)?.[0] ?? "";
    await first.write("toolbox.lock", text.replaceAll(integrity, `"sha512-${"A".repeat(86)}=="`));
    const { code, stderr } = await first.toolbox(["build", "--frozen", "--quiet"], { timeout: 900_000 });
    expect(code).toBe(4);
    expect(stderr.trim().split("\n")).toEqual([
      expect.stringMatching(/^error: "\S+ \S+" has integrity "sha512-.*\[CHECKSUM_MISMATCH\]$/) as string,
      expect.stringMatching(/^hint: /) as string,
    ]);
  });
});

async function run({ toolbox }: SmallWorkspace, args: readonly string[]): Promise<string> {
  const result: ProgramResult = await toolbox(args, { timeout: 900_000 });
  const { code, stdout, stderr } = result;
  if (code !== 0) throw new Error(`toolbox ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function build(workspace: SmallWorkspace, flags: readonly string[] = []): Promise<ReportedImage> {
  const { images } = JSON.parse(await run(workspace, ["build", "--frozen", "--json", ...flags])) as {
    images: readonly ReportedImage[];
  };
  const [image] = images;
  if (image === undefined) throw new Error("nothing was built");
  return image;
}

function digestOf({ platforms }: ReportedImage, platform: string): string | undefined {
  return platforms.find((each) => each.platform === platform)?.manifest.digest;
}
