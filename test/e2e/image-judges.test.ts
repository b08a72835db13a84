// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasPrograms, makeFolder, outputOf, runProgram, type TemporaryFolder } from "../support/programs.ts";
import { QUICKSTART, runInQuickstart } from "../support/programs-toolbox.ts";
import { type PublishedImage, publishQuickstart, TAG } from "../support/published-image.ts";

const TOOLS = ["helm", "jq", "kubectl", "yq"];
let image: PublishedImage;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await makeFolder("judges");
  image = await publishQuickstart();
});
afterAll(async () => {
  await image?.remove();
  await folder?.remove();
});

describe.runIf(hasPrograms("skopeo"))("skopeo", () => {
  test("sees the index that was built, byte for byte", async () => {
    const raw = await outputOf("skopeo", [
      "inspect",
      "--raw",
      "--tls-verify=false",
      `docker://${image.repository}:${TAG}`,
    ]);
    expect(`sha256:${createHash("sha256").update(raw).digest("hex")}`).toBe(image.digest);
  });

  test.each(["amd64", "arm64"])("inspects the %s image", async (architecture) => {
    const text = await outputOf("skopeo", [
      `--override-arch=${architecture}`,
      "inspect",
      "--tls-verify=false",
      `docker://${image.repository}@${image.digest}`,
    ]);
    const seen = JSON.parse(text) as { Architecture: string; Os: string; Layers: string[]; Labels: object };
    const layers = image.report.platforms.find(
      ({ platform }) => platform === `linux/${architecture}`,
    )?.layers;
    expect(seen).toMatchObject({ Architecture: architecture, Os: "linux" });
    expect(seen.Layers).toEqual(layers?.map(({ digest }) => digest));
  });

  test("copies both platforms to a layout and keeps every digest", async () => {
    const target = join(folder.path, "skopeo");
    await outputOf("skopeo", [
      "copy",
      "--all",
      "--src-tls-verify=false",
      `docker://${image.repository}:${TAG}`,
      `oci:${target}:copied`,
    ]);
    const index = JSON.parse(await readFile(join(target, "index.json"), "utf8")) as {
      manifests: { digest: string }[];
    };
    expect(index.manifests.map(({ digest }) => digest)).toEqual([image.digest]);
    for (const name of await readdir(join(target, "blobs/sha256"))) {
      expect(await sha256Of(join(target, "blobs/sha256", name))).toBe(name);
    }
  });

  test("reads the archive that `build --output docker-archive:` writes", async () => {
    const archive = join(folder.path, "image.tar");
    const { code, stderr } = await runInQuickstart(["build", "--output", `docker-archive:${archive}`]);
    expect(stderr + code).toMatch(/0$/);
    const seen = JSON.parse(await outputOf("skopeo", ["inspect", `docker-archive:${archive}`])) as {
      Os: string;
    };
    expect(seen.Os).toBe("linux");
  });
});

describe.runIf(hasPrograms("umoci", "file") && process.getuid?.() === 0)("umoci", () => {
  test.each([
    ["amd64", "x86-64"],
    ["arm64", "aarch64"],
  ])("unpacks the %s layout, and every tool in it is for that CPU", async (architecture, machine) => {
    const layout = join(folder.path, `layout-${architecture}`);
    const platform = ["--platform", `linux/${architecture}`];
    const { code } = await runInQuickstart(["build", ...platform, "--output", `oci:${layout}:${TAG}`]);
    expect(code).toBe(0);
    const bundle = join(folder.path, `bundle-${architecture}`);
    await outputOf("umoci", ["unpack", "--image", `${layout}:${TAG}`, bundle]);
    for (const tool of TOOLS) {
      const path = await pathOf(join(bundle, "rootfs"), tool);
      expect((await outputOf("file", ["--brief", "--dereference", path])).toLowerCase()).toContain(machine);
    }
  });
});

test("a build into an empty store gives the same index digest, whatever time zone, locale and umask say", async () => {
  const store = join(folder.path, "second-store");
  const { code, stdout, stderr } = await runProgram(
    "sh",
    [
      "-c",
      'umask 077; exec "$0" "$@"',
      process.execPath,
      join(QUICKSTART, "../../dist/cli/main.js"),
      "--json",
      "build",
    ],
    { cwd: QUICKSTART, env: { TOOLBOX_STORE: store, TZ: "Pacific/Kiritimati", LC_ALL: "tr_TR.UTF-8" } },
  );
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  const report = JSON.parse(stdout) as { images: { index: { digest: string } }[] };
  expect(report.images.map(({ index }) => index.digest)).toEqual([image.digest]);
});

async function pathOf(rootfs: string, tool: string): Promise<string> {
  for (const bin of ["usr/local/bin", "usr/bin"]) {
    const path = join(rootfs, bin, tool);
    if (
      await stat(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  throw new Error(`no ${tool} in ${rootfs}`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
