// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { copyImage, openLayoutStore } from "../../src/oci/index.ts";
import { openRegistryRepository } from "../../src/registry/client/index.ts";
import {
  canServeDockerRegistry,
  type RunningDockerRegistry,
  serveDockerRegistry,
} from "../support/docker-registry.ts";
import { putEngineImage } from "../support/engine-image.ts";
import { type Fault, type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";
import { hasPrograms, outputOf } from "../support/programs.ts";
import type { ReportedImage } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

const CPU = process.arch === "arm64" ? "arm64" : "amd64";

let workspace: SmallWorkspace;
beforeEach(async () => {
  workspace = await makeWorkspace();
});
afterEach(async () => workspace?.remove());

describe("build --push", () => {
  let fault: Fault;
  let registry: FaultyRegistry;
  beforeEach(async () => {
    fault = ({ forward }) => forward();
    registry = await startFaultyRegistry((exchange) => fault(exchange));
    await prepareWorkspace(registry.address);
    registry.seen.length = 0;
  });
  afterEach(async () => registry?.close());

  test("sends layers while others are being made, each once, and tags last", async () => {
    // Takes far longer to compress than a small layer to be sent.
    await workspace.write("two", randomBytes(24 * 1024 * 1024));
    const namedAtFirstUpload: boolean[] = [];
    fault = ({ request, target, forward }) => {
      if (isUpload(request.method, target))
        namedAtFirstUpload.push(workspace.visible().index?.includes("/small") ?? false);
      forward();
    };
    const images = await pushed("--tag", "1", "--tag", "2");
    expect(namedAtFirstUpload[0]).toBe(false);

    const requests = registry.seen.map(({ method, target }) => `${method} ${target.split("?")[0]}`);
    const tags = requests.filter((line) => /^PUT .*\/manifests\/\d$/.test(line));
    expect(tags.toSorted()).toEqual(
      ["large", "small"].flatMap((name) => ["1", "2"].map((tag) => `PUT /v2/team/${name}/manifests/${tag}`)),
    );
    const lastUpload = requests.findLastIndex((line) => line.startsWith("PUT") && line.includes("/uploads/"));
    expect(requests.indexOf(tags.at(-1) ?? "")).toBeGreaterThan(lastUpload);
    // What both images have is lent by the repository that has it.
    const layers = images.flatMap(({ platforms }) => platforms.flatMap(({ layers }) => layers));
    const sent = registry.seen.filter(
      ({ method, target }) => method === "PUT" && target.includes("/uploads/"),
    );
    expect(sent).toHaveLength(new Set(layers.map(({ digest }) => digest)).size + images.length);
  });

  test("leaves no name behind when a later tool cannot be built, and what it sent is used by the next run", async () => {
    await workspace.write("three", foreignProgram());
    const { code, stderr } = await workspace.toolbox(["build", "--push"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain("BINARY_WRONG_PLATFORM");
    expect(
      registry.seen.filter(({ method, target }) => method === "PUT" && target.includes("/manifests/")),
    ).toEqual([]);
    expect(workspace.visible().leftovers).toEqual([]);
    await workspace.write("three", "#!/bin/bash\necho three\n");
    await pushed();
  });

  test("goes on building when the registry fails meanwhile, and sends what is missing at the end", async () => {
    let refused = 0;
    fault = ({ request, target, reply, forward }) => {
      if (isUpload(request.method, target) && refused === 0) {
        refused += 1;
        reply(403, { "content-type": "application/json" }, '{"errors":[{"code":"DENIED"}]}');
      } else forward();
    };
    await pushed();
    expect(refused).toBe(1);
  });

  test("fails with the registry's answer when it refuses to the end, and the images are in the store", async () => {
    fault = ({ request, target, reply, forward }) => {
      if (isUpload(request.method, target)) {
        reply(403, { "content-type": "application/json" }, '{"errors":[{"code":"DENIED"}]}');
      } else forward();
    };
    const { code, stderr } = await workspace.toolbox(["build", "--push"]);
    expect([code, stderr]).toEqual([5, expect.stringContaining("DENIED")]);
    fault = ({ forward }) => forward();
    expect(await workspace.toolbox(["publish"])).toMatchObject({ code: 0 });
  });

  test("--dry-run says where images would go, and asks for nothing to be changed", async () => {
    const { code, stdout } = await workspace.toolbox(["build", "--push", "--tag", "1", "--dry-run"]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringContaining(`to publish as ${registry.address}/team/large:1`),
    ]);
    expect(registry.seen.filter(({ method }) => method !== "GET" && method !== "HEAD")).toEqual([]);
  });

  test("is told of a tag that cannot be before anything is built", async () => {
    const { code, stderr } = await workspace.toolbox(["build", "--push", "--tag", "no tag"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("REFERENCE_INVALID")]);
    expect(stderr).not.toContain("layer one");
    expect(workspace.visible().index).not.toContain("/small");
  });

  test("is asked for where a tag is given", async () => {
    const { code, stderr } = await workspace.toolbox(["build", "--tag", "1"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("--tag is for --push")]);
  });
});

describe.runIf(canServeDockerRegistry() && hasPrograms("skopeo"))("build --push to docker-registry", () => {
  let registry: RunningDockerRegistry;
  beforeAll(async () => {
    registry = await serveDockerRegistry();
  });
  afterAll(async () => registry?.stop());

  test("gives images that skopeo finds whole, under the digests that were built", async () => {
    await prepareWorkspace(registry.host);
    for (const { name, index, platforms } of await pushed("--tag", "1")) {
      const source = `docker://${registry.host}/team/${name}:1`;
      const raw = await outputOf("skopeo", ["inspect", "--tls-verify=false", "--raw", source]);
      expect(raw).toContain(platforms[0]?.manifest.digest);
      await outputOf("skopeo", [
        "copy",
        "--src-tls-verify=false",
        "--all",
        source,
        `dir:${workspace.store}-${name}`,
      ]);
      const digest = await outputOf("skopeo", [
        "inspect",
        "--tls-verify=false",
        "--format",
        "{{.Digest}}",
        source,
      ]);
      expect([index.digest, platforms[0]?.manifest.digest]).toContain(digest.trim());
    }
  });
});

function isUpload(method: string | undefined, target: string): boolean {
  return method === "POST" && target.startsWith("/v2/team/") && target.includes("/uploads/");
}

/** A base and three tools, two of them in both images. */
async function prepareWorkspace(host: string): Promise<void> {
  const store = await openLayoutStore(workspace.store);
  const base = await putEngineImage(store);
  const repository = openRegistryRepository({ registry: host, repository: "base" });
  await copyImage(store, repository, base, { tag: "1" });
  const names = ["one", "two", "three"];
  for (const name of names) await workspace.write(name, `#!/bin/bash\necho ${name}\n`);
  const tools = names.map((name) => `  ${name}: { source: file, path: ./${name}, version: "1.0.0" }\n`);
  await workspace.write(
    "toolbox.yaml",
    `registry: ${host}/team
platforms: [linux/${CPU}]
base: { image: "${host}/base:1" }
tools:
${tools.join("")}images: { small: { tools: [one, two] }, large: { extends: small, tools: [three] } }
`,
  );
}

/** Builds and pushes, and makes sure that every image can be fetched by its name from what is no store of ours. */
async function pushed(...args: readonly string[]): Promise<readonly ReportedImage[]> {
  const { code, stdout, stderr } = await workspace.toolbox(["build", "--push", "--json", ...args]);
  expect(code, `${stdout}${stderr}`).toBe(0);
  const { images, published } = JSON.parse(stdout) as {
    images: readonly ReportedImage[];
    published: readonly { readonly name: string; readonly reference: string; readonly digest: string }[];
  };
  for (const { name, reference, digest } of published) {
    expect(digest).toBe(images.find((image) => image.name === name)?.index.digest);
    const layout = `oci:${workspace.path}/copy-${name}`;
    expect(await workspace.toolbox(["image", "copy", reference, layout])).toMatchObject({ code: 0 });
  }
  return images;
}

/** The head of a program for neither CPU that images are built for (System V ABI, ELF header). */
function foreignProgram(): Buffer {
  const head = Buffer.alloc(64);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(243, 18);
  return head;
}
