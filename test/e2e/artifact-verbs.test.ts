// SPDX-License-Identifier: Apache-2.0
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeBytes, MEDIA_TYPES, pushArtifact } from "../../src/oci/index.ts";
import { openRegistryRepository } from "../../src/registry/index.ts";
import { canServeDockerRegistry, serveDockerRegistry } from "../support/docker-registry.ts";
import { makeFolder, outputOf, type TemporaryFolder } from "../support/programs.ts";
import { canBuildGoPrograms, prepareGoProgram } from "../support/programs-go.ts";
import { type RunningRegistry, runToolbox, serveRegistry } from "../support/programs-toolbox.ts";

const SPDX = "application/spdx+json";
const SBOM = '{"spdxVersion":"SPDX-2.3"}\n';

let folder: TemporaryFolder;
const registries: Record<string, RunningRegistry> = {};

beforeAll(async () => {
  folder = await makeFolder("artifact-verbs");
  await mkdir(join(folder.path, "docs"));
  await writeFile(join(folder.path, "sbom.json"), SBOM);
  await writeFile(join(folder.path, "docs/notes.txt"), "read me\n");
  registries["toolbox"] = await serveRegistry(join(folder.path, "registry"));
  if (canServeDockerRegistry()) registries["docker-registry"] = await serveDockerRegistry();
});
afterAll(async () => {
  for (const registry of Object.values(registries)) await registry.stop();
  await folder?.remove();
});

function hostOf(name: string): string {
  return registries[name]?.host ?? `no ${name}`;
}

async function toolbox(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runToolbox(args, { cwd: folder.path });
  if (code !== 0) throw new Error(`toolbox ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function toolboxJson<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await toolbox(...args, "--json")) as T;
}

async function newFolder(name: string): Promise<string> {
  const path = join(folder.path, name);
  await mkdir(path, { recursive: true });
  return path;
}

interface Pushed {
  readonly digest: string;
}

describe("artifacts", () => {
  test("the same files at the same time are the same digest, and --dry-run sends nothing", async () => {
    const name = `${hostOf("toolbox")}/a/same:1`;
    const words = [
      "artifact",
      "push",
      name,
      `sbom.json:${SPDX}`,
      "docs/notes.txt",
      "--artifact-type",
      SPDX,
      "--json",
    ];
    const env = { SOURCE_DATE_EPOCH: "1700000000" };
    const dry = await runToolbox([...words, "--dry-run"], { cwd: folder.path, env });
    expect((await runToolbox(["image", "inspect", name])).code).toBe(3);
    const real = await runToolbox(words, { cwd: folder.path, env });
    expect(JSON.parse(real.stdout)).toMatchObject({ digest: (JSON.parse(dry.stdout) as Pushed).digest });
    const { manifest } = await toolboxJson<{ manifest: object }>("image", "inspect", name);
    expect(manifest).toMatchObject({
      artifactType: SPDX,
      config: { mediaType: MEDIA_TYPES.empty },
      annotations: { "org.opencontainers.image.created": "2023-11-14T22:13:20Z" },
      layers: [
        { mediaType: SPDX, annotations: { "org.opencontainers.image.title": "sbom.json" } },
        { annotations: { "org.opencontainers.image.title": "docs/notes.txt" } },
      ],
    });
  });

  test("the tree shows what is attached to what is attached", async () => {
    const name = `${hostOf("toolbox")}/a/tree`;
    const push = ["--artifact-type", "x/image", "sbom.json"];
    const root = await toolboxJson<Pushed>("artifact", "push", `${name}:1`, ...push);
    const sbom = await toolboxJson<Pushed>(
      "artifact",
      "attach",
      "--to",
      `${name}:1`,
      "sbom.json",
      "--artifact-type",
      SPDX,
    );
    const of = `${name}@${sbom.digest}`;
    const seal = await toolboxJson<Pushed>(
      "artifact",
      "attach",
      "--to",
      of,
      "-a",
      "by=me",
      "--artifact-type",
      "x/seal",
    );
    expect(await toolbox("artifact", "tree", `${name}:1`)).toBe(
      `${name}@${root.digest}\n└── ${SPDX}  ${sbom.digest}\n    └── x/seal  ${seal.digest}\n`,
    );
    expect(await toolbox("artifact", "list", of, "--artifact-type", "x/other")).toBe("");
    expect(await toolbox("artifact", "list", of, "--artifact-type", "x/seal")).toContain(seal.digest);
  });

  test("names that lead elsewhere are refused, and nothing is written", async () => {
    const reference = { registry: hostOf("toolbox"), repository: "a/hostile" };
    for (const title of [
      "../out.txt",
      "/tmp/out.txt",
      "a/../../out.txt",
      "C:\\out.txt",
      "C:out.txt",
      "a\\b",
    ]) {
      await pushTitled(reference, title);
      const into = await newFolder("hostile");
      const words = ["artifact", "pull", `${reference.registry}/${reference.repository}:1`, "-o", into];
      const { code, stderr } = await runToolbox(words);
      expect(stderr).toContain("ARCHIVE_UNSAFE");
      expect(code).toBe(4);
      expect(await readdir(into)).toEqual([]);
    }
  });

  test("a link in the way is not followed and not replaced", async () => {
    const outside = await newFolder("outside");
    const into = await newFolder("linked");
    await symlink(outside, join(into, "docs"));
    const name = `${hostOf("toolbox")}/a/linked:1`;
    await toolbox("artifact", "push", name, "docs/notes.txt", "--artifact-type", "x/notes");
    const { code, stderr } = await runToolbox(["artifact", "pull", name, "-o", into]);
    expect(stderr).toContain("PATH_CONFLICT");
    expect(code).toBe(9);
    expect(await readdir(outside)).toEqual([]);
    expect(await readdir(into)).toEqual(["docs"]);
  });

  test.each([
    [["artifact", "push", "HOST/a/b:1", "sbom.json"], 2, "--artifact-type is missing"],
    [["artifact", "push", "HOST/a/b:1", "none.json", "--artifact-type", "x/y"], 3, "is not there"],
    [["artifact", "push", "HOST/a/b:1", "docs", "--artifact-type", "x/y"], 7, "is not a file"],
    [
      ["artifact", "push", "HOST/a/b:1", "sbom.json", "./sbom.json", "--artifact-type", "x/y"],
      9,
      "cannot stand beside",
    ],
    [["artifact", "attach", "sbom.json", "--artifact-type", "x/y"], 2, "--to is missing"],
    [
      ["artifact", "attach", "--to", "HOST/a/none:1", "sbom.json", "--artifact-type", "x/y"],
      3,
      "IMAGE_NOT_FOUND",
    ],
  ])("refuses %j", async (words, expected, text) => {
    const args = words.map((word) => word.replace("HOST", hostOf("toolbox")));
    const { code, stderr } = await runToolbox(args, { cwd: folder.path });
    expect(stderr).toContain(text);
    expect(code).toBe(expected);
  });
});

async function pushTitled(reference: { registry: string; repository: string }, title: string): Promise<void> {
  const content = new TextEncoder().encode("{}");
  const blob = describeBytes(content, MEDIA_TYPES.empty);
  const layer = { ...blob, annotations: { "org.opencontainers.image.title": title } };
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    artifactType: "x/y",
    config: blob,
    layers: [layer],
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  const plan = {
    descriptor: describeBytes(bytes, MEDIA_TYPES.imageManifest),
    bytes,
    blobs: [blob],
    files: [],
  };
  await pushArtifact(plan, openRegistryRepository(reference), { tag: "1" });
}

describe.runIf(canBuildGoPrograms())("oras", () => {
  let program = "";
  const oras = async (cwd: string, command: string, ...args: readonly string[]): Promise<string> =>
    outputOf(program, [command, "--plain-http", ...args], { cwd });
  beforeAll(async () => {
    program = await prepareGoProgram("oras");
  });

  const names = ["toolbox", ...(canServeDockerRegistry() ? ["docker-registry"] : [])];
  test.each(names)("pulls from %s what we pushed", async (registry) => {
    const name = `${hostOf(registry)}/b/ours:1`;
    await toolbox(
      "artifact",
      "push",
      name,
      `sbom.json:${SPDX}`,
      "docs/notes.txt:text/plain",
      "--artifact-type",
      SPDX,
    );
    const into = await newFolder(`ours-${registry}`);
    await oras(into, "pull", name);
    expect(await readFile(join(into, "sbom.json"), "utf8")).toBe(SBOM);
    expect(await readFile(join(into, "docs/notes.txt"), "utf8")).toBe("read me\n");
  });

  test.each(names)("pushes to %s what we pull, folders too", async (registry) => {
    const name = `${hostOf(registry)}/b/theirs:1`;
    await oras(
      folder.path,
      "push",
      name,
      "--artifact-type",
      SPDX,
      `sbom.json:${SPDX}`,
      "docs:application/x.folder",
    );
    const into = await newFolder(`theirs-${registry}`);
    const { files } = await toolboxJson<{ files: { title: string }[] }>("artifact", "pull", name, "-o", into);
    expect(files.map(({ title }) => title)).toEqual(["sbom.json", "docs"]);
    expect(await readFile(join(into, "sbom.json"), "utf8")).toBe(SBOM);
    expect(await readFile(join(into, "docs/notes.txt"), "utf8")).toBe("read me\n");
    expect(await readdir(into)).toHaveLength(2);
  });

  test.each(names)("and we see in %s what the other has attached", async (registry) => {
    const name = `${hostOf(registry)}/b/attached:1`;
    await toolbox("artifact", "push", name, "docs/notes.txt", "--artifact-type", "x/notes");
    const ours = await toolboxJson<Pushed>(
      "artifact",
      "attach",
      "--to",
      name,
      `sbom.json:${SPDX}`,
      "--artifact-type",
      SPDX,
    );
    await oras(folder.path, "attach", "--artifact-type", "x/theirs", name, `sbom.json:${SPDX}`);
    const { referrers } = await toolboxJson<{ referrers: { artifactType: string }[] }>(
      "artifact",
      "list",
      name,
    );
    expect(referrers.map(({ artifactType }) => artifactType).toSorted()).toEqual([SPDX, "x/theirs"]);
    const seen = await oras(folder.path, "discover", "--format", "json", name);
    expect(seen).toContain(ours.digest);
    expect(seen).toContain("x/theirs");
  });

  test("finds in our copy of a layout what is about the image", async () => {
    const name = `${hostOf("toolbox")}/b/layout:1`;
    await toolbox("artifact", "push", name, "docs/notes.txt", "--artifact-type", "x/notes");
    const sbom = await toolboxJson<Pushed>(
      "artifact",
      "attach",
      "--to",
      name,
      "sbom.json",
      "--artifact-type",
      SPDX,
    );
    await toolbox("image", "copy", name, "oci:copied:1", "--referrers");
    const seen = await outputOf(program, [
      "discover",
      "--oci-layout",
      "--format",
      "json",
      `${folder.path}/copied:1`,
    ]);
    expect(seen).toContain(sbom.digest);
  });
});
