// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Descriptor } from "../../src/oci/index.ts";
import {
  openRegistryRepository,
  type RegistryRepository,
  startRegistryServer,
} from "../../src/registry/index.ts";
import { canBuildGoPrograms, prepareGoProgram } from "../support/programs-go.ts";
import { makeFolder, outputOf, type ProgramResult, type TemporaryFolder } from "../support/programs.ts";
import { type RunningRegistry, runToolbox } from "../support/programs-toolbox.ts";
import { addSampleArtifact, addSampleImage, type SampleImage } from "../support/sample-image.ts";
import { startTunnelProxy, type TunnelProxy } from "../support/tunnel-proxy.ts";

let folder: TemporaryFolder;
let here: RunningRegistry;
let there: RunningRegistry;
let proxy: TunnelProxy;
let image: SampleImage;
/** Tags of `a` at the source, and what they stand for. */
let tags: Record<string, string>;

beforeAll(async () => {
  folder = await makeFolder("copy-ends");
  here = await serve("here");
  there = await serve("there");
  proxy = await startProxy({ "here.example": here.host, "there.example": there.host });
  image = await addSampleImage(open(here, "a"), { tag: "v1", size: 1000 });
  const [platform] = image.manifests;
  const note = await addSampleArtifact(open(here, "a"), "test/note", { subject: image.index });
  tags = {
    v1: image.index.digest,
    [cosignTag(image.index, "sig")]: (await sign("index", image.index, "sig")).digest,
    [cosignTag(image.index, "sbom")]: (await sign("sbom", image.index, "sbom")).digest,
    [cosignTag(platform, "att")]: (await sign("platform", platform, "att")).digest,
    [cosignTag(note, "sig")]: (await sign("note", note, "sig")).digest,
  };
});
afterAll(async () => {
  await proxy?.close();
  await here?.stop();
  await there?.stop();
  await folder?.remove();
});

describe("plain HTTP is said for each end of a copy:", () => {
  const [from, to] = ["here.example/a:v1", "there.example/ends:v1"];

  test.each([[[]], [["--src-plain-http"]], [["--dst-plain-http"]]])(
    "%j is not enough for two, and nothing is written",
    async (flags) => {
      const { code, stderr } = await copy(from, to, ...flags);
      expect(stderr).toContain("REGISTRY_UNREACHABLE");
      expect(code).toBe(6);
      const left = open(there, "ends").resolveManifest("v1");
      await expect(left).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    },
  );

  test.each([[["--plain-http"]], [["--src-plain-http", "--dst-plain-http"]]])("%j is", async (flags) => {
    const target = `there.example/both${flags.length}:v1`;
    expect(await copy(from, target, ...flags)).toMatchObject({ code: 0 });
    expect((await open(there, `both${flags.length}`).resolveManifest("v1")).digest).toBe(image.index.digest);
  });

  test("this machine needs no word, so one end is enough there", async () => {
    expect(await copy(from, `${there.host}/one:v1`, "--src-plain-http")).toMatchObject({ code: 0 });
    expect(await copy(`${here.host}/a:v1`, "there.example/one:v2", "--dst-plain-http")).toMatchObject({
      code: 0,
    });
    const words = ["image", "sync", "here.example/a", `${there.host}/synced`, "--tags", "v*"];
    expect(await run(...words, "--src-plain-http")).toMatchObject({ code: 0 });
    expect((await open(there, "synced").resolveManifest("v1")).digest).toBe(image.index.digest);
  });
});

describe("what cosign keeps under tags", () => {
  test("stays behind without --referrers", async () => {
    expect(await copy(`${here.host}/a:v1`, `${there.host}/alone:v1`)).toMatchObject({ code: 0 });
    expect(await tagsOf(open(there, "alone"))).toEqual({ v1: image.index.digest });
  });

  test("comes along with it, for image, platforms and referrers, to a folder and back", async () => {
    const { stdout } = await copy(`${here.host}/a:v1`, "oci:layout:v1", "--referrers", "--json");
    const { tagged } = JSON.parse(stdout) as { tagged: { tag: string; digest: string }[] };
    const { v1, ...others } = tags;
    expect(v1).toBe(image.index.digest);
    expect(Object.fromEntries(tagged.map(({ tag, digest }) => [tag, digest]))).toEqual(others);
    expect(await run("image", "verify", "layout", "--deep")).toMatchObject({ code: 0 });
    await copy("oci:layout:v1", `${there.host}/whole:v1`, "--referrers");
    expect(await tagsOf(open(there, "whole"))).toEqual(tags);
    expect(await open(there, "whole").listReferrers(image.index.digest)).toHaveLength(1);
    const again = await copy("oci:layout:v1", `${there.host}/whole:v1`, "--referrers", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ size: 0 });
  });

  test("follows its source: a tag that has moved there moves", async () => {
    await addSampleArtifact(open(there, "moved"), "test/older", { tag: cosignTag(image.index, "sig") });
    const words = ["image", "sync", `${here.host}/a`, `${there.host}/moved`, "--tags", "v1", "--referrers"];
    expect(await run(...words)).toMatchObject({ code: 0 });
    expect(await tagsOf(open(there, "moved"))).toEqual(tags);
  });

  test.runIf(canBuildGoPrograms())("is what regctl takes along too", { timeout: 900_000 }, async () => {
    const flags = ["--host", `reg=${here.host},tls=disabled`, "--host", `reg=${there.host},tls=disabled`];
    const names = [`${here.host}/a:v1`, `${there.host}/judge:v1`];
    const words = ["image", "copy", "--digest-tags", "--referrers", ...names];
    await outputOf(await prepareGoProgram("regctl"), [...flags, ...words], { env: { HOME: folder.path } });
    const judge = await tagsOf(open(there, "judge"));
    expect(Object.entries(tags)).toEqual(expect.arrayContaining(Object.entries(judge)));
    expect(Object.keys(judge).length).toBeGreaterThan(2);
  });
});

/** Also under the name that the proxy leads here. */
async function serve(name: string): Promise<RunningRegistry> {
  const options = { hostNames: [`${name}.example`], stopTimeout: 100 };
  const server = await startRegistryServer({ folder: join(folder.path, name), ...options });
  return { host: server.address, stop: async () => server.close() };
}

async function copy(from: string, to: string, ...flags: readonly string[]): Promise<ProgramResult> {
  return run("image", "copy", from, to, ...flags);
}

async function run(...args: readonly string[]): Promise<ProgramResult> {
  const env = {
    HTTP_PROXY: proxy.url,
    http_proxy: proxy.url,
    HTTPS_PROXY: proxy.url,
    https_proxy: proxy.url,
  };
  const none = { NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1", TOOLBOX_CACHE: join(folder.path, "cache") };
  return runToolbox(args, { cwd: folder.path, env: { ...env, ...none } });
}

function open({ host }: RunningRegistry, repository: string): RegistryRepository {
  return openRegistryRepository({ registry: host, repository });
}

function cosignTag(subject: Descriptor | undefined, suffix: string): string {
  return `${subject?.digest.replace(":", "-")}.${suffix}`;
}

/** Where cosign would put it; what is in it does not matter to a copy. */
async function sign(what: string, subject: Descriptor | undefined, suffix: string): Promise<Descriptor> {
  return addSampleArtifact(open(here, "a"), `test/${what}`, { tag: cosignTag(subject, suffix) });
}

async function tagsOf(repository: RegistryRepository): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const tag of repository.listTags()) found[tag] = (await repository.resolveManifest(tag)).digest;
  return found;
}

/** Leads names of registries, port 80 alone, to where they are served: nobody here speaks TLS. */
async function startProxy(hosts: Readonly<Record<string, string>>): Promise<TunnelProxy> {
  return await startTunnelProxy(({ url = "" }) => {
    const [name = "", port] = url.split(":");
    const [host, real] = hosts[name]?.split(":") ?? [];
    return port === "80" && host !== undefined ? { host, port: Number(real) } : 502;
  });
}
