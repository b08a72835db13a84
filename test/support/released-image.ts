// SPDX-License-Identifier: Apache-2.0
import { copyImage, openLayoutStore } from "../../src/oci/index.ts";
import { openRegistryRepository } from "../../src/registry/client/index.ts";
import { putEngineImage } from "./engine-image.ts";
import { makeWorkspace, type SmallWorkspace } from "./small-workspace.ts";

/** Publishes small images that run on every engine, by `toolbox build` and `toolbox publish`. */
export interface Releaser {
  /** `HOST/team/tools`, without a tag. */
  readonly repository: string;
  /**
   * Publishes an image with these tools under these tags, and gives its digest. Each tool is a script that prints its
   * own version.
   */
  readonly release: (tools: Readonly<Record<string, string>>, tags: readonly string[]) => Promise<string>;
  readonly remove: () => Promise<void>;
}

/** Prepares a registry (`127.0.0.1:PORT`) for releases: what they are laid on goes there first. */
export async function prepareReleaser(host: string): Promise<Releaser> {
  const maker = await makeWorkspace();
  const store = await openLayoutStore(maker.store);
  const base = await putEngineImage(store);
  const target = openRegistryRepository({ registry: host, repository: "base/engine" });
  await copyImage(store, target, base, { tag: "1" });
  return {
    repository: `${host}/team/tools`,
    release: async (tools, tags) => {
      for (const [name, version] of Object.entries(tools)) {
        await maker.write(name, `#!/bin/bash\necho ${name} ${version}\n`);
      }
      await maker.write("toolbox.yaml", workspaceText(host, tools));
      await succeed(maker, ["build"]);
      const flags = tags.flatMap((tag) => ["--tag", tag]);
      const { images } = JSON.parse(await succeed(maker, ["publish", "--json", ...flags])) as {
        images: readonly { readonly digest: string }[];
      };
      return images[0]?.digest ?? "";
    },
    remove: maker.remove,
  };
}

function workspaceText(host: string, tools: Readonly<Record<string, string>>): string {
  const platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
  const wishes = Object.entries(tools).map(
    ([name, version]) => `  ${name}: { source: file, path: ./${name}, version: "${version}" }\n`,
  );
  return `registry: ${host}/team
platforms: [${platform}]
base: { image: "${host}/base/engine:1" }
tools:
${wishes.join("")}images:
  tools: { tools: [${Object.keys(tools).join(", ")}] }
`;
}

async function succeed(maker: SmallWorkspace, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await maker.toolbox(args);
  if (code !== 0) throw new Error(`toolbox ${args.join(" ")} ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}
