// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";
import { serveRegistry } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

let folder: TemporaryFolder;
let registry: Awaited<ReturnType<typeof serveRegistry>>;
let workspace: SmallWorkspace;

beforeAll(async () => {
  folder = await makeFolder("registry");
  registry = await serveRegistry(join(folder.path, "registry"));
  workspace = await makeWorkspace();
});
afterAll(async () => {
  await workspace?.remove();
  await registry?.stop();
  await folder?.remove();
});

test("a Debian tool laid on a base image of a registry brings only what that image lacks", async () => {
  const platforms = "platforms: [linux/amd64]\n";
  await workspace.write(
    "toolbox.yaml",
    `registry: ${registry.host}/base\n${platforms}base: { debian: trixie, packages: [libonig5] }\nimages: { debian: { tools: [] } }\n`,
  );
  await toolbox("build");
  await toolbox("publish");
  await workspace.write(
    "toolbox.yaml",
    `${platforms}base: { image: "${registry.host}/base/debian:latest" }\ntools: { jq: { source: debian } }\nimages: { on-image: { tools: [jq] } }\n`,
  );
  await toolbox("lock");
  const lock = JSON.parse(workspace.visible().lock ?? "") as LockText;
  expect(lock.base.kind).toBe("image");
  const packages = lock.tools["jq"]?.platforms["linux/amd64"]?.packages ?? [];
  expect(packages.map(({ name }) => name)).toEqual(["jq", "libjq1"]);
  const { images } = JSON.parse(await toolbox("build", "--frozen", "--json")) as BuildText;
  expect(images[0]?.platforms[0]?.layers.map(({ kind }) => kind)).toContain("tool");
});

interface LockText {
  readonly base: { readonly kind: string };
  readonly tools: Readonly<
    Record<
      string,
      {
        readonly platforms: Readonly<
          Record<string, { readonly packages: readonly { readonly name: string }[] }>
        >;
      }
    >
  >;
}

interface BuildText {
  readonly images: readonly {
    readonly platforms: readonly { readonly layers: readonly { readonly kind: string }[] }[];
  }[];
}

async function toolbox(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await workspace.toolbox(args);
  expect(code, stderr).toBe(0);
  return stdout;
}
