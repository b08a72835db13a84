// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test } from "vitest";
import { type Descriptor, digestOf, EMPTY_DESCRIPTOR, MEDIA_TYPES } from "../../src/oci/index.ts";
import { openRegistryRepository, type RegistryRepository } from "../../src/registry/index.ts";
import { type Fault, type FaultyRegistry, startFaultyRegistry } from "../support/faulty-registry.ts";

const INDEX = { "content-type": MEDIA_TYPES.imageIndex };

const running: FaultyRegistry[] = [];
afterEach(async () => {
  for (const front of running.splice(0)) await front.close();
});

describe("a list of referrers", () => {
  test("is followed from page to page and filtered here when the registry does not", async () => {
    const front = await start(({ reply, target }) => {
      if (target.includes("page=2")) reply(200, INDEX, page(["b", "a"]));
      else reply(200, { ...INDEX, link: '<?page=2>; rel="next"' }, page(["a"]));
    });
    const found = await open(front.address).listReferrers(digestOf("s"), { artifactType: "a" });
    expect(found).toEqual([entry("a")]);
  });

  test.each([
    ["that turns in a circle", '<?artifactType=x>; rel="next"'],
    ["that goes on at another host", '<http://127.0.0.2:1/>; rel="next"'],
  ])("%s ends in an error", async (_, link) => {
    const front = await start(({ reply }) => reply(200, { ...INDEX, link }, page(["a"])));
    await expect(open(front.address).listReferrers(digestOf("s"))).rejects.toMatchObject({
      code: expect.stringMatching(/REGISTRY_FAILED|POLICY_REFUSED/),
    });
  });

  test.each([
    ["are empty", (): string[] => []],
    ["repeat what was said", (): string[] => ["a"]],
  ])("whose pages %s without end is given up too", async (_, names) => {
    let isHealed = false;
    const front = await start(({ earlier, reply }) => {
      const link = isHealed ? {} : { link: `<?page=${earlier + 1}>; rel="next"` };
      reply(200, { ...INDEX, ...link }, page(names()));
    });
    const repository = open(front.address);
    await expect(repository.listReferrers(digestOf("s"))).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
    expect(front.seen.length).toBeLessThanOrEqual(1000);
    isHealed = true;
    expect(await repository.listReferrers(digestOf("s"))).toEqual(names().map(entry));
  });

  test("with a hundred thousand entries is given up, in one page, in many, and under the fallback tag", async () => {
    const names = Array.from({ length: 100_000 }, (_, index) => `${index}`);
    const inOne = await start(({ reply }) => reply(200, INDEX, page(names.slice(0, 20_000))));
    const inMany = await start(({ earlier, reply }) => {
      const link = `<?page=${earlier + 1}>; rel="next"`;
      reply(200, { ...INDEX, link }, page(names.slice(earlier * 1000, (earlier + 1) * 1000)));
    });
    const inTag = await start(({ reply, target }) => {
      if (target.includes("/referrers/")) reply(404);
      else reply(200, INDEX, page(names.slice(0, 15_000)));
    });
    const inExcess = await start(({ reply }) => reply(200, INDEX, page(names)));
    for (const front of [inOne, inMany, inTag, inExcess]) {
      const listing = open(front.address).listReferrers(digestOf("s"));
      await expect(listing).rejects.toMatchObject({
        name: "ToolingError",
        code: expect.stringMatching(/^(?:REGISTRY_FAILED|MANIFEST_INVALID)$/) as string,
      });
    }
    expect(inMany.seen).toHaveLength(11);
  });

  test("that does not end is given up at the limit", async () => {
    const front = await start(({ earlier, reply }) => {
      const names = Array.from({ length: 50 }, (_, index) => `${earlier}-${index}`);
      reply(200, { ...INDEX, link: `<?page=${earlier + 1}>; rel="next"` }, page(names));
    });
    await expect(open(front.address).listReferrers(digestOf("s"), { limit: 1000 })).rejects.toMatchObject({
      code: "REGISTRY_FAILED",
    });
    expect(front.seen.length).toBeLessThan(30);
  });
});

describe("a list of tags", () => {
  test.each([
    ["turns in a circle", (): string => "x"],
    ["never ends", (earlier: number): string => `x${earlier}`],
  ])("that %s is given up, and read to its end when it has one", async (_, last) => {
    let isHealed = false;
    const front = await start(({ earlier, reply }) => {
      const link = `<?n=1000&last=${last(earlier)}>; rel="next"`;
      reply(200, isHealed ? {} : { link }, JSON.stringify({ name: "a", tags: ["one", "two"] }));
    });
    await expect(tagsOf(open(front.address))).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
    expect(front.seen.length).toBeLessThanOrEqual(1000);
    isHealed = true;
    expect(await tagsOf(open(front.address))).toEqual(["one", "two"]);
  });

  test("that is one endless page is cut", async () => {
    const front = await start(({ response }) => {
      const block = `"${"t".repeat(100)}",`.repeat(1000);
      const more = (): void => {
        while (!response.destroyed && response.write(block));
      };
      response.on("drain", more).writeHead(200).write('{"tags":[');
      more();
    });
    await expect(tagsOf(open(front.address))).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
  });

  test("that goes on at another host is refused, and that host hears nothing", async () => {
    const other = await start(({ reply }) => reply(200, {}, '{"tags":["evil"]}'));
    const link = `<http://${other.address}/v2/a/tags/list>; rel="next"`;
    const front = await start(({ reply }) => reply(200, { link }, '{"tags":["one"]}'));
    await expect(tagsOf(open(front.address))).rejects.toMatchObject({ code: "POLICY_REFUSED" });
    expect(other.seen).toEqual([]);
  });
});

async function start(fault: Fault): Promise<FaultyRegistry> {
  const front = await startFaultyRegistry(fault);
  running.push(front);
  return front;
}

function open(registry: string): RegistryRepository {
  return openRegistryRepository({ registry, repository: "a" }, { retry: { firstDelay: 1, longestDelay: 5 } });
}

async function tagsOf(repository: RegistryRepository): Promise<string[]> {
  const tags: string[] = [];
  for await (const tag of repository.listTags()) tags.push(tag);
  return tags;
}

function entry(name: string): Descriptor {
  return { ...EMPTY_DESCRIPTOR, digest: digestOf(name), artifactType: name };
}

function page(names: readonly string[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: names.map(entry) });
}
