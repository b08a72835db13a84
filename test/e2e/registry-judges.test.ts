// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyImage, openLayoutStore } from "../../src/oci/index.ts";
import {
  openRegistryRepository,
  type RegistryRepository,
  type RegistryServer,
  startRegistryServer,
} from "../../src/registry/index.ts";
import { canBuildGoPrograms, prepareGoProgram } from "../support/programs-go.ts";
import { canRunPodman, type OwnPodman, preparePodman } from "../support/programs-podman.ts";
import { hasPrograms, makeFolder, outputOf, type TemporaryFolder } from "../support/programs.ts";
import { addSampleArtifact, addSampleImage, type SampleImage } from "../support/sample-image.ts";

/** The Go programs are built once, which takes minutes. */
const BUILD = { timeout: 900_000 };

let server: RegistryServer;
let folder: TemporaryFolder;
let image: SampleImage;
/** A layout with the image in it under the tag `v1`, that `skopeo`, `crane` and `regctl` push from. */
let layout: string;

beforeAll(async () => {
  folder = await makeFolder("registry-judges");
  server = await startRegistryServer({ folder: join(folder.path, "registry") });
  layout = join(folder.path, "layout");
  const store = await openLayoutStore(layout);
  image = await addSampleImage(store, { tag: "v1" });
  await copyImage(store, open("source"), image.index, { tag: "v1" });
});
afterAll(async () => {
  await server?.close();
  await folder?.remove();
});

describe.runIf(hasPrograms("skopeo"))("skopeo", () => {
  test("pushes an image for all platforms, pulls it, and deletes it", async () => {
    const target = `docker://${server.address}/skopeo:v1`;
    await outputOf("skopeo", ["copy", "--all", "--dest-tls-verify=false", `oci:${layout}:v1`, target]);
    expect((await open("skopeo").resolveManifest("v1")).digest).toBe(image.index.digest);
    await expectWhole("skopeo");
    const pulled = join(folder.path, "skopeo");
    await outputOf("skopeo", ["copy", "--all", "--src-tls-verify=false", target, `oci:${pulled}:v1`]);
    await expectLayout(pulled);
    await outputOf("skopeo", ["delete", "--tls-verify=false", target]);
    await expect(open("skopeo").resolveManifest("v1")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  });

  test("copies from repository to repository and lists tags", async () => {
    const from = `docker://${server.address}/source:v1`;
    const to = `docker://${server.address}/skopeo/copy:v2`;
    const flags = ["--all", "--src-tls-verify=false", "--dest-tls-verify=false"];
    await outputOf("skopeo", ["copy", ...flags, from, to]);
    const name = to.replace(/:v2$/, "");
    const listed = JSON.parse(await outputOf("skopeo", ["list-tags", "--tls-verify=false", name])) as object;
    expect(listed).toMatchObject({ Tags: ["v2"] });
    await expectWhole("skopeo/copy");
  });
});

describe.runIf(canBuildGoPrograms())("crane", () => {
  test("pulls and pushes an image, copies it, validates it, lists and deletes", BUILD, async () => {
    const crane = await makeRunner(await prepareGoProgram("crane"), ["--insecure"]);
    const source = `${server.address}/source:v1`;
    const target = `${server.address}/crane:v1`;
    const pulled = join(folder.path, "crane");
    await crane("pull", "--format=oci", source, pulled);
    await expectLayout(pulled);
    await crane("push", "--index", layout, target);
    await crane("copy", source, `${server.address}/crane/copy:v2`);
    await expectWhole("crane/copy");
    await crane("validate", "--remote", `${server.address}/crane/copy:v2`);
    expect(await crane("digest", source)).toBe(`${image.index.digest}\n`);
    expect(await crane("ls", `${server.address}/crane/copy`)).toBe("v2\n");
    expect(await crane("catalog", server.address)).toContain("crane/copy\n");
    await crane("tag", source, "renamed");
    expect((await open("source").resolveManifest("renamed")).digest).toBe(image.index.digest);
    await crane("delete", `${server.address}/crane/copy:v2`);
    expect(await crane("ls", `${server.address}/crane/copy`)).toBe("");
  });
});

describe.runIf(canBuildGoPrograms())("regctl", () => {
  test("pushes and pulls an image, and keeps what is about it", BUILD, async () => {
    const regctl = await makeRunner(await prepareGoProgram("regctl"), [
      `--host=reg=${server.address},tls=disabled`,
    ]);
    const target = `${server.address}/regctl:v1`;
    await regctl("image", "copy", `ocidir://${layout}:v1`, target);
    await expectWhole("regctl");
    const note = join(folder.path, "note.txt");
    await writeFile(note, "a note");
    const about = ["--subject", target, "--artifact-type", "test/regctl"];
    await regctl("artifact", "put", ...about, "--file", note);
    const listed = await open("regctl").listReferrers(image.index.digest);
    expect(listed).toMatchObject([{ artifactType: "test/regctl" }]);
    // The API lists it, so regctl keeps no list of its own under a tag.
    expect(await regctl("tag", "ls", `${server.address}/regctl`)).toBe("v1\n");
    const pulled = join(folder.path, "regctl");
    await regctl("image", "copy", "--referrers", target, `ocidir://${pulled}:v1`);
    await expectLayout(pulled);
    const [artifact] = listed;
    const store = await openLayoutStore(pulled);
    expect(artifact === undefined ? false : await store.hasManifest(artifact)).toBe(true);
    expect(await regctl("artifact", "get", "--subject", target)).toBe("a note");
    await regctl("tag", "delete", target);
    expect(await open("regctl").hasManifest(image.index)).toBe(true);
    await expect(open("regctl").resolveManifest("v1")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  });
});

describe.runIf(canBuildGoPrograms())("oras", () => {
  test("pushes, attaches, discovers, pulls and copies with what is attached", BUILD, async () => {
    const oras = await makeRunner(await prepareGoProgram("oras"), []);
    const target = `${server.address}/oras:v1`;
    await writeFile(join(folder.path, "sbom.json"), '{"sbom":true}');
    await writeFile(join(folder.path, "note.txt"), "attached");
    const plain = ["--plain-http"];
    await oras("push", ...plain, "--artifact-type", "test/a", target, "sbom.json:application/spdx+json");
    await oras("attach", ...plain, "--artifact-type", "test/note", target, "note.txt:text/plain");
    const ours = open("oras");
    const root = await ours.resolveManifest("v1");
    const [note, ...more] = await ours.listReferrers(root.digest);
    expect(more).toEqual([]);
    expect(note).toMatchObject({ artifactType: "test/note" });
    const tree = await oras("discover", ...plain, "--format", "json", target);
    expect(JSON.parse(tree)).toMatchObject({ referrers: [{ digest: note?.digest }] });
    const to = `${server.address}/oras/copy:v1`;
    await oras("copy", "-r", "--from-plain-http", "--to-plain-http", target, to);
    expect(await open("oras/copy").listReferrers(root.digest)).toHaveLength(1);
    const output = join(folder.path, "pulled");
    await oras("pull", ...plain, "--output", output, target);
    expect(await readFile(join(output, "sbom.json"), "utf8")).toBe('{"sbom":true}');
    await oras("manifest", "delete", ...plain, "--force", `${server.address}/oras@${note?.digest}`);
    expect(await ours.listReferrers(root.digest)).toEqual([]);
  });

  test("sees what our client attaches, filtered by type", BUILD, async () => {
    const oras = await makeRunner(await prepareGoProgram("oras"), []);
    const one = await addSampleArtifact(open("source"), "test/one", { subject: image.index });
    await addSampleArtifact(open("source"), "test/two", { subject: image.index });
    const args = ["--plain-http", "--format", "json", "--artifact-type", "test/one"];
    const tree = JSON.parse(await oras("discover", ...args, `${server.address}/source:v1`)) as object;
    expect(tree).toMatchObject({ referrers: { length: 1, 0: { digest: one.digest } } });
  });
});

describe.runIf(canRunPodman())("podman", () => {
  let podman: OwnPodman;
  beforeAll(async () => {
    podman = await preparePodman();
  });
  afterAll(async () => {
    await podman?.remove();
  });

  test("pulls by tag and by digest, and pushes", async () => {
    const run = await makeRunner("podman", podman.globals);
    for (const name of [`source:v1`, `source@${image.index.digest}`]) {
      await run("pull", "--quiet", "--tls-verify=false", `${server.address}/${name}`);
    }
    const target = `${server.address}/podman:v1`;
    await run("push", "--quiet", "--tls-verify=false", `${server.address}/source:v1`, target);
    const pushed = await open("podman").resolveManifest("v1");
    expect(await open("podman").fetchManifest(pushed)).not.toHaveLength(0);
  });
});

function open(repository: string): RegistryRepository {
  return openRegistryRepository({ registry: server.address, repository });
}

async function makeRunner(
  program: string,
  globals: readonly string[],
): Promise<(...args: readonly string[]) => Promise<string>> {
  const home = join(folder.path, "home");
  await mkdir(home, { recursive: true });
  // podman wants a file where it is told to look for one.
  await writeFile(join(home, "config.json"), "{}");
  return async (...args) =>
    outputOf(program, [...globals, ...args], { cwd: folder.path, env: { HOME: home, DOCKER_CONFIG: home } });
}

/** All of the image is in the repository, byte for byte. */
async function expectWhole(repository: string): Promise<void> {
  const from = open(repository);
  for (const blob of image.blobs) expect(await from.hasBlob(blob)).toBe(true);
  for (const manifest of [...image.manifests, image.index]) {
    await from.fetchManifest(await from.resolveManifest(manifest.digest));
  }
}

/** All of the image is in the layout, and nothing in it is damaged. */
async function expectLayout(path: string): Promise<void> {
  const store = await openLayoutStore(path);
  for (const blob of [...image.blobs, ...image.manifests, image.index]) {
    expect(await store.hasBlob(blob)).toBe(true);
  }
  expect((await store.verify({ deep: true })).problems).toEqual([]);
}
