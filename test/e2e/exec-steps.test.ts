// SPDX-License-Identifier: Apache-2.0
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openLayoutStore } from "../../src/oci/index.ts";
import { readLayerEntries } from "../support/layer-entries.ts";
import { canJudge } from "../support/debian-machine.ts";
import { hasPrograms, makeFolder, type ProgramResult, type TemporaryFolder } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { type ReportedImage, TOOLBOX_CACHE } from "../support/programs-toolbox.ts";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

/** Tells what a step sees, and makes files of several kinds, with a file of the package among them. */
const SCRIPT = `
umask 027
cd /var/lib/demo
echo 6*7 | bc > answer
env | grep -E '^(LC_ALL|TZ|SOURCE_DATE_EPOCH|PERL_HASH_SEED)=' | sort > env
tail -n +3 /proc/net/dev | grep -cv ' lo:' > networks || true
mkdir -p sub/deeper; ln -s ../answer sub/link
printf '#!/bin/sh\\necho hello\\n' > run; chmod 700 run
if touch /etc/elsewhere 2>/dev/null; then rm /etc/elsewhere; fi
date > /tmp/scratch
`;

describe.runIf(canJudge())("a tool with a step", () => {
  let folder: TemporaryFolder;
  let workspace: SmallWorkspace;
  let docker: RunningDocker | undefined;

  beforeAll(async () => {
    folder = await makeFolder("exec-steps");
    workspace = await makeWorkspace();
    // Downloads are everybody's; what steps left is only ours.
    await mkdir(join(TOOLBOX_CACHE, "files"), { recursive: true });
    await mkdir(join(folder.path, "cache"));
    await symlink(join(TOOLBOX_CACHE, "files"), join(folder.path, "cache", "files"));
    if (canStartDocker()) docker = await startDocker();
  });
  afterAll(async () => {
    await docker?.stop();
    await workspace?.remove();
    await folder?.remove();
  });

  test("has what the step made in its layer, on every platform", async () => {
    await workspace.write("toolbox.yaml", workspaceOf(SCRIPT));
    const { platforms } = await build();
    expect(platforms.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
    const store = await openLayoutStore(workspace.store);
    for (const { layers } of platforms) {
      const layer = layers.find(({ name }) => name === "bc");
      const digest = layer?.digest as `sha256:${string}`;
      const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
      const entries = await readLayerEntries(store, { digest, size: layer?.size ?? 0, mediaType });
      const found = [...entries.values()].filter(({ path }) => path.startsWith("var/lib/demo"));
      expect(
        found.map(({ path, mode, text, target }) => `${path} ${mode.toString(8)} ${target ?? text}`),
      ).toEqual([
        "var/lib/demo 755 ",
        "var/lib/demo/answer 644 42\n",
        "var/lib/demo/env 644 LC_ALL=C.UTF-8\nPERL_HASH_SEED=0\nSOURCE_DATE_EPOCH=0\nTZ=UTC\n",
        "var/lib/demo/networks 644 0\n",
        "var/lib/demo/run 755 #!/bin/sh\necho hello\n",
        "var/lib/demo/sub 755 ",
        "var/lib/demo/sub/deeper 755 ",
        "var/lib/demo/sub/link 777 ../answer",
      ]);
      expect(found.every(({ uid, gid }) => uid === 0 && gid === 0)).toBe(true);
    }
  });

  test("gives the same layer each time and on every engine", async () => {
    const bubblewrap = hasPrograms("bwrap") || process.env["CI"] === "true" ? ["bubblewrap"] : [];
    const engines = [...bubblewrap, "namespaces", ...(docker === undefined ? [] : ["docker"])];
    const found: string[] = [];
    for (const [round, engine] of engines.entries()) {
      // Another script is another step, which is not found made.
      await workspace.write("toolbox.yaml", workspaceOf(`${SCRIPT}# round ${round}\n`));
      const { platforms } = await build({ ...docker?.env, TOOLBOX_ENGINE: engine });
      const layers = platforms.flatMap(({ layers }) => layers.filter(({ name }) => name === "bc"));
      expect(layers.map(({ cached }) => cached)).toEqual([false, false]);
      found.push(layers.map(({ diffID }) => diffID).join(" "));
    }
    expect(new Set(found).size).toBe(1);
  });

  test("whose result is machine code is built for this machine's CPU only", async () => {
    await workspace.write("toolbox.yaml", workspaceOf("cp /usr/bin/bc /var/lib/demo/copy"));
    const host = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
    const foreign = host === "linux/arm64" ? "linux/amd64" : "linux/arm64";
    expect((await toolbox(["build", "--platform", host])).code).toBe(0);
    const { code, stderr } = await toolbox(["build", "--platform", foreign]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(
      `error: tool "bc" has a step whose result "var/lib/demo/copy" is machine code of ${host}, so it cannot be used for ${foreign} [PLATFORM_UNAVAILABLE]`,
    );
  });

  test("that fails says what it said, and leaves no image and no folder", async () => {
    await workspace.write("toolbox.yaml", workspaceOf("echo before; ls /no/such/folder; echo after"));
    const { code, stderr } = await toolbox(["build"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /error: a step ended with 2: before \| ls: .*\/no\/such\/folder.* \[BUILD_FAILED\]/,
    );
    expect(stderr).not.toContain("after");
  });

  const build = async (env: Readonly<Record<string, string | undefined>> = {}): Promise<ReportedImage> => {
    const { code, stdout, stderr } = await toolbox(["build", "--json"], env);
    if (code !== 0) throw new Error(`${stdout}${stderr}`);
    const [image] = (JSON.parse(stdout) as { images: readonly ReportedImage[] }).images;
    if (image === undefined) throw new Error("no image was built");
    return image;
  };

  const toolbox = async (
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>> = {},
  ): Promise<ProgramResult> =>
    workspace.toolbox(args, { env: { TOOLBOX_CACHE: join(folder.path, "cache"), ...env } });
});

function workspaceOf(script: string): string {
  const definition = {
    name: "bc",
    summary: "Calculator",
    license: "GPL-3.0-or-later",
    binaries: ["bc"],
    version: { args: ["--version"], contains: "{{version}}" },
    examples: [],
    sources: [
      {
        source: "debian",
        package: "bc",
        version: { pattern: String.raw`^(\d+\.\d+)` },
        exec: [{ script, writes: ["var/lib/demo"] }],
      },
    ],
  };
  return JSON.stringify({
    registry: "example.com/steps",
    platforms: ["linux/amd64", "linux/arm64"],
    base: { debian: "trixie", packages: [] },
    tools: { bc: { definition } },
    images: { steps: { tools: ["bc"] } },
  });
}
