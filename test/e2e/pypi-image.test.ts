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

  test("has its modules compiled to what its own Python would write", async () => {
    const flags = ["run", "--engine", "embedded"];
    const said = await run(first, [...flags, "python3", "-c", COMPARE_COMPILED]);
    const [same, ...others] = said.trim().split("\n");
    expect(others).toEqual([]);
    expect(Number(same)).toBeGreaterThan(600);
    expect(await compiledAtStart(first, flags)).toEqual([]);
  });

  test.runIf(canRunArm64())("runs its tool on arm64", async () => {
    const registry = await serveRegistry(join(first.store, "..", "registry"));
    try {
      await run(first, ["publish", "--to", `${registry.host}/lint`]);
      const arm64 = image.platforms.find(({ platform }) => platform === "linux/arm64")?.manifest.digest;
      const reference = `${registry.host}/lint/lint@${arm64}`;
      const flags = ["run", "--engine", "embedded", "--image", reference];
      expect(await run(first, [...flags, "uname", "-m"])).toBe("aarch64\n");
      expect(await compiledAtStart(first, flags)).toEqual([]);
      const said = await run(first, [...flags, "yamllint", "--version"]);
      expect(said).toContain(`yamllint ${lock.tools["yamllint"]?.version}`);
    } finally {
      await registry.stop();
    }
  });
});

/**
 * Prints how many compiled modules are the same, and the path of each that is not. What Python writes is written as if the
 * module were alone in the world: else it depends on what that Python has loaded for itself.
 */
const COMPARE_COMPILED = `
import marshal, os, py_compile
def read(path):
    with open(path, "rb") as file: return file.read()
def alone(content):
    code = marshal.loads(content[16:])
    return content[:16] + marshal.dumps(marshal.loads(marshal.dumps(code, 2)))
same, others = 0, []
for top in ("/usr/lib/python3.13", "/usr/lib/python3", "/opt"):
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if not path.endswith(".pyc"): continue
            source = os.path.join(os.path.dirname(folder), name.split(".")[0] + ".py")
            mode = py_compile.PycInvalidationMode.CHECKED_HASH
            made = py_compile.compile(source, "/tmp/made.pyc", doraise=True, invalidation_mode=mode)
            if read(path) == alone(read(made)): same += 1
            else: others.append(path)
print(same, *others, sep="\\n")
`;

/** The modules that Python compiles when the tool starts. */
async function compiledAtStart(
  { toolbox }: SmallWorkspace,
  flags: readonly string[],
): Promise<readonly string[]> {
  const start = ["/opt/yamllint/bin/python3", "-I", "-v", "-m", "yamllint", "--version"];
  const { code, stderr } = await toolbox([...flags, ...start], { timeout: 900_000 });
  expect([code, stderr.includes("__pycache__")]).toEqual([0, true]);
  return stderr.split("\n").filter((line) => /code object from '.*\.py'/.test(line));
}

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
