// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRegistryRepository } from "../../src/registry/index.ts";
import { canServeDockerRegistry, serveDockerRegistry } from "../support/docker-registry.ts";
import { hasPrograms, makeFolder, outputOf, ROOT, type TemporaryFolder } from "../support/programs.ts";
import { type RunningRegistry, runToolbox, serveRegistry } from "../support/programs-toolbox.ts";
import { putTwoPlatformImage, type TwoPlatformImage } from "../support/two-platform-image.ts";

let folder: TemporaryFolder;
let registry: RunningRegistry;
let image: TwoPlatformImage;
let source = "";

beforeAll(async () => {
  folder = await makeFolder("image-verbs");
  registry = await serveRegistry(join(folder.path, "registry"));
  source = `${registry.host}/team/tools`;
  const repository = openRegistryRepository({ registry: registry.host, repository: "team/tools" });
  image = await putTwoPlatformImage(repository, { tag: "1.0", text: "one" });
  await putTwoPlatformImage(repository, { tag: "1.1", text: "two" });
  await putTwoPlatformImage(repository, { tag: "edge", text: "three" });
  await writeFile(join(folder.path, "sbom.json"), '{"spdxVersion":"SPDX-2.3"}\n');
  await attach(`${source}:1.0`);
  await attach(`${source}:1.0`, "--platform", "linux/arm64");
});
afterAll(async () => {
  await registry?.stop();
  await folder?.remove();
});

async function toolbox(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runToolbox(args, {
    cwd: folder.path,
    env: { TOOLBOX_CACHE: join(folder.path, "cache"), TOOLBOX_STORE: join(folder.path, "store") },
  });
  if (code !== 0) throw new Error(`toolbox ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}

async function toolboxJson<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse(await toolbox(...args, "--json")) as T;
}

async function attach(to: string, ...more: readonly string[]): Promise<string> {
  const type = "application/spdx+json";
  const words = ["--to", to, `sbom.json:${type}`, "--artifact-type", type, ...more];
  return (await toolboxJson<{ digest: string }>("artifact", "attach", ...words)).digest;
}

async function refusal(...args: readonly string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await runToolbox(args, { cwd: folder.path });
  return { code, text: stdout + stderr };
}

function sha256(content: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

describe("image inspect", () => {
  test("--raw gives the very bytes of index, manifest and config", async () => {
    expect(sha256(await toolbox("image", "inspect", `${source}:1.0`, "--raw"))).toBe(image.index.digest);
    const raw = await toolbox("image", "inspect", `docker://${source}:1.0`, "--raw", "--platform", "arm64");
    expect(sha256(raw)).toBe(image.manifests["linux/arm64"]?.digest);
    const { config } = JSON.parse(raw) as { config: { digest: string } };
    const bytes = await toolbox(
      "image",
      "inspect",
      `${source}:1.0`,
      "--config",
      "--raw",
      "--platform",
      "arm64",
    );
    expect(sha256(bytes)).toBe(config.digest);
  });

  test("tells what an image is, for people and for scripts", async () => {
    expect(await toolbox("image", "inspect", `${source}:1.0`)).toContain("linux/arm64");
    expect(
      await toolboxJson("image", "inspect", `${source}:1.0`, "--config", "--platform", "arm64"),
    ).toMatchObject({ architecture: "arm64", config: { Labels: { text: "one" } } });
  });

  test("names the platforms there are when the wished one is not", async () => {
    const { code, text } = await refusal("image", "inspect", `${source}:1.0`, "--platform", "s390x");
    expect(code).toBe(3);
    expect(text).toContain("linux/amd64, linux/arm64");
  });
});

describe("image copy", () => {
  test("to a folder and back keeps every digest, what is about the image included", async () => {
    await toolbox("image", "copy", `${source}:1.0`, "oci:there:1.0", "--referrers");
    expect(await toolbox("image", "verify", "there", "--deep")).toContain("nothing is wrong");
    const back = await toolboxJson<{ digest: string; referrers: string[] }>(
      "image",
      "copy",
      "oci:there:1.0",
      `${registry.host}/back/tools:1.0`,
      "--referrers",
    );
    expect(back.digest).toBe(image.index.digest);
    expect(back.referrers).toHaveLength(2);
    const trees = [source, `${registry.host}/back/tools`].map(async (name) =>
      toolboxJson<{ referrers: object[] }>("artifact", "tree", `${name}:1.0`),
    );
    const [here, there] = await Promise.all(trees);
    expect(there?.referrers).toHaveLength(1);
    expect(there?.referrers).toEqual(here?.referrers);
  });

  test("--dry-run sends nothing, and the second copy has nothing to send", async () => {
    const target = `${registry.host}/dry/tools:1.0`;
    const plan = await toolboxJson<{ size: number }>("image", "copy", `${source}:1.0`, target, "--dry-run");
    expect(plan.size).toBeGreaterThan(0);
    expect((await refusal("image", "inspect", target)).code).toBe(3);
    await toolbox("image", "copy", `${source}:1.0`, target);
    expect(await toolboxJson("image", "copy", `${source}:1.0`, target)).toMatchObject({ size: 0 });
  });

  test("--platform makes a copy of that manifest, digest unchanged", async () => {
    const target = `${registry.host}/arm/tools:1.0`;
    await toolbox("image", "copy", `${source}:1.0`, target, "--platform", "linux/arm64");
    const raw = await toolbox("image", "inspect", target, "--raw");
    expect(sha256(raw)).toBe(image.manifests["linux/arm64"]?.digest);
  });

  test("an archive holds one platform and comes back as it was", async () => {
    await toolbox("image", "copy", `${source}:1.0`, "docker-archive:a.tar", "--platform", "linux/arm64");
    await toolbox("image", "copy", "docker-archive:a.tar", `${registry.host}/archive/tools:1`);
    const raw = await toolbox("image", "inspect", `${registry.host}/archive/tools:1`, "--raw");
    expect(sha256(raw)).toBe(image.manifests["linux/arm64"]?.digest);
  });

  test.each([
    [["docker-daemon:a:1", "oci:x"], 8, "does not keep the bytes of manifests"],
    [["SOURCE", "docker-archive:b.tar", "--all"], 2, "holds one platform"],
    [["SOURCE", "docker-archive:b.tar", "--referrers"], 2, "cannot hold referrers"],
    [["SOURCE", "ftp://x"], 2, "is not a place for images"],
    [["oci:nowhere", "oci:x"], 3, "nowhere"],
    [["docker-archive:nowhere.tar", "oci:x"], 7, "cannot be read"],
  ] as const)("refuses %j", async (words, code, text) => {
    const args = words.map((word) => (word === "SOURCE" ? `${source}:1.0` : word));
    const answer = await refusal("image", "copy", ...args);
    expect(answer.text).toContain(text);
    expect(answer.code).toBe(code);
  });
});

describe("image tags, delete and sync", () => {
  test("sync copies tags that match, once, and again when they have moved", async () => {
    const mirror = `${registry.host}/mirror/tools`;
    const sync = async (): Promise<string[]> => {
      const { images } = await toolboxJson<{ images: { to: string; state: string }[] }>(
        "image",
        "sync",
        source,
        mirror,
        "--tags",
        "1.*",
      );
      return images.map(({ to, state }) => `${to.slice(mirror.length + 1)} ${state}`);
    };
    expect(await sync()).toEqual(["1.0 missing", "1.1 missing"]);
    expect(await sync()).toEqual(["1.0 same", "1.1 same"]);
    await toolbox("image", "copy", `${source}:edge`, `${mirror}:1.1`);
    expect(await sync()).toEqual(["1.0 same", "1.1 outdated"]);
    expect(await toolboxJson("image", "tags", mirror)).toMatchObject({ tags: ["1.0", "1.1"] });
  });

  test("sync reads a list, and says where it is wrong", async () => {
    const list = join(folder.path, "mirror.yaml");
    await writeFile(list, `images:\n  - from: ${source}\n    to: oci:mirrored\n    tags: ["1.?", edge]\n`);
    expect(await toolbox("image", "sync", "--list", "mirror.yaml", "--dry-run")).toContain("3 of 3 to copy");
    await toolbox("image", "sync", "--list", "mirror.yaml");
    expect(await toolbox("image", "verify", "mirrored", "--deep")).toContain("nothing is wrong");
    expect(await toolbox("image", "sync", "--list", "mirror.yaml")).toContain("0 of 3 copied");
    await writeFile(list, "images:\n  - from: a\n");
    const { code, text } = await refusal("image", "sync", "--list", "mirror.yaml");
    expect(code).toBe(2);
    expect(text).toContain("images.0.to");
  });

  test("delete takes a tag, or the image with all of them", async () => {
    const name = `${registry.host}/gone/tools`;
    for (const tag of ["a", "b", "c"]) await toolbox("image", "copy", `${source}:1.0`, `${name}:${tag}`);
    expect(await toolbox("image", "delete", `${name}:a`, "--dry-run")).toContain("would be");
    await toolbox("image", "delete", `${name}:a`);
    expect(await toolboxJson("image", "tags", name)).toMatchObject({ tags: ["b", "c"] });
    await toolbox("image", "delete", `${name}:b`, "--manifest");
    expect(await toolboxJson("image", "tags", name)).toMatchObject({ tags: [] });
    expect((await refusal("image", "delete", `${name}:b`)).code).toBe(3);
    expect((await refusal("image", "delete", name)).code).toBe(2);
  });
});

describe("image verify and registry gc", () => {
  test("find what is altered or gone in a registry's folder, and free what is not needed", async () => {
    const root = join(folder.path, "own");
    const own = await serveRegistry(root);
    try {
      await toolbox("image", "copy", `${source}:1.0`, `${own.host}/a:1`);
      await toolbox("image", "copy", `${source}:1.1`, `${own.host}/a:2`);
      await toolbox("image", "delete", `${own.host}/a@${image.index.digest}`);
      for (const { digest } of Object.values(image.manifests))
        await toolbox("image", "delete", `${own.host}/a@${digest}`);
    } finally {
      await own.stop();
    }
    expect(await toolbox("image", "verify", "own", "--deep")).toContain("nothing is wrong");
    const freed = await toolboxJson<{ removed: number }>("registry", "gc", "--store", root, "--grace", "0s");
    expect(
      freed.removed +
        (await toolboxJson<{ removed: number }>("registry", "gc", "--store", root, "--grace", "0s")).removed,
    ).toBe(4);
    expect(await toolbox("image", "verify", "own", "--deep")).toContain("nothing is wrong");
    const { content } = await toolboxJson<{ content: { digest: string }[] }>(
      "image",
      "copy",
      `${source}:1.1`,
      "oci:unused",
      "--dry-run",
    );
    const [{ digest } = { digest: "" }] = content;
    const encoded = digest.slice(7);
    await writeFile(join(root, "blobs/sha256", encoded.slice(0, 2), encoded), "altered");
    const found = await runToolbox(["image", "verify", "own", "--deep", "--json"], { cwd: folder.path });
    expect(found.code).toBe(4);
    expect(JSON.parse(found.stdout)).toMatchObject({ problems: [{ kind: "altered", digest }] });
  });
});

describe.runIf(hasPrograms("skopeo"))("skopeo", () => {
  test("sees in our copies what is in the source, and we in its", async () => {
    await toolbox("image", "copy", `${source}:1.0`, "oci:for-skopeo:1.0");
    expect(sha256(await outputOf("skopeo", ["inspect", "--raw", `oci:${folder.path}/for-skopeo:1.0`]))).toBe(
      image.index.digest,
    );
    const from = `docker://${source}:1.0`;
    const to = `oci:${folder.path}/by-skopeo:1.0`;
    await outputOf("skopeo", ["copy", "--all", "--src-tls-verify=false", from, to]);
    expect(sha256(await toolbox("image", "inspect", "oci:by-skopeo:1.0", "--raw"))).toBe(image.index.digest);
    await toolbox("image", "copy", `${source}:1.0`, "docker-archive:s.tar", "--platform", "amd64");
    const seen = await outputOf("skopeo", ["inspect", "--config", `docker-archive:${folder.path}/s.tar`]);
    expect(JSON.parse(seen)).toMatchObject({ architecture: "amd64" });
  });
});

describe.runIf(hasPrograms("umoci") && process.getuid?.() === 0)("umoci", () => {
  test("unpacks a platform that was copied to a folder", async () => {
    await toolbox("image", "copy", `${source}:1.0`, "oci:for-umoci:1.0", "--platform", "linux/amd64");
    await outputOf("umoci", ["unpack", "--image", `${folder.path}/for-umoci:1.0`, `${folder.path}/bundle`]);
    expect(await readFile(join(folder.path, "bundle/rootfs/etc/greeting"), "utf8")).toBe("one for amd64\n");
  });
});

describe.runIf(canServeDockerRegistry())("docker-registry, which has no referrers API", () => {
  test("takes an image with what is about it, and gives it back", async () => {
    const other = await serveDockerRegistry();
    try {
      const name = `${other.host}/team/tools`;
      await toolbox("image", "copy", `${source}:1.0`, `${name}:1.0`, "--referrers");
      await attach(`${name}:1.0`, "--annotation", "more=yes");
      const listed = await toolboxJson<{ referrers: object[] }>("artifact", "list", `${name}:1.0`);
      expect(listed.referrers).toHaveLength(2);
      await toolbox("image", "copy", `${name}:1.0`, `${registry.host}/returned/tools:1.0`, "--referrers");
      const tree = await toolboxJson<{ referrers: object[] }>(
        "artifact",
        "tree",
        `${registry.host}/returned/tools:1.0`,
      );
      expect(tree.referrers).toHaveLength(2);
      expect((await refusal("image", "delete", `${name}:1.0`)).text).toContain("REGISTRY_FAILED");
      await toolbox("image", "delete", `${name}:1.0`, "--manifest");
      expect((await refusal("image", "inspect", `${name}:1.0`)).code).toBe(3);
    } finally {
      await other.stop();
    }
  });
});

test("the example of the library copies an image with its SBOM", async () => {
  await mkdir(join(folder.path, "example"));
  const printed = await outputOf(process.execPath, [join(ROOT, "examples/library/copy-image.mjs")], {
    cwd: join(folder.path, "example"),
  });
  expect(printed).toContain("same digest in both registries");
});
