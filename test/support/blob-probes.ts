// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { type Digest, type DigestAlgorithm, digestOf, EMPTY_BYTES } from "../../src/oci/index.ts";
import type { Observed, ObservedRegistry } from "./observed-registry.ts";

/** One thing to ask of a registry, and what the specification wants to see, in words. */
export interface Probe {
  readonly name: string;
  readonly expected: string;
  readonly observe: (registry: ObservedRegistry) => Promise<string>;
}

const SIZE = 4000;
const CUT = 2500;

/** What the conformance suite asks about blobs, in its order, for one algorithm. */
export function blobProbes(algorithm: DigestAlgorithm): readonly Probe[] {
  const probe = (name: string, expected: string, observe: Ask): Probe => ({
    name: `${algorithm} ${name}`,
    expected,
    observe: async (registry) => {
      const content = randomBytes(SIZE);
      return observe({ registry, content, digest: digestOf(content, algorithm), algorithm });
    },
  });
  return [
    probe("get missing", "404 404", async ({ registry, digest }) => {
      const path = registry.path(`blobs/${digest}`);
      return words((await registry.send("GET", path)).status, (await registry.send("HEAD", path)).status);
    }),
    probe("post only", "201 same 201", async ({ registry, content, digest }) => {
      const path = registry.path(`blobs/uploads/?digest=${digest}`);
      const posted = await registry.send("POST", path, { body: content });
      return words(posted.status, await compare({ registry, content, digest }), hasLocation(posted));
    }),
    probe("post and put", "202 201 same", async (one) => {
      const upload = await start(one);
      return words(upload.status, await finish(one, upload, one.content), await compare(one));
    }),
    probe("chunked in one", "202 0-3999 201 same", async (one) => {
      const upload = await start(one);
      const chunk = await patch(one, upload, 0, SIZE);
      return words(describe(chunk), await finish(one, chunk), await compare(one));
    }),
    probe("stream", "202 0-3999 201 same", async (one) => {
      const upload = await start(one);
      const chunk = await one.registry.send("PATCH", upload.location, { body: one.content, isStream: true });
      return words(describe(chunk), await finish(one, chunk), await compare(one));
    }),
    probe("mount", "201 same", async (one) => {
      await one.registry.pushBlob(one.content, one.digest);
      const query = `mount=${one.digest}&from=${one.registry.repository}`;
      return mountInto(one, query);
    }),
    probe("mount without a source", "201 same", async (one) => {
      await one.registry.pushBlob(one.content, one.digest);
      return mountInto(one, `mount=${one.digest}`);
    }),
    probe("mount of what is not there", "202 201 same", async (one) => {
      const upload = await start(one, `mount=${one.digest}&from=${one.registry.repository}-none`);
      return words(upload.status, await finish(one, upload, one.content), await compare(one));
    }),
    probe("cancel", "202 204 404", async (one) => {
      const upload = await start(one);
      const ended = await one.registry.send("DELETE", upload.location);
      return words(upload.status, ended.status, (await one.registry.send("GET", upload.location)).status);
    }),
    probe("chunked", "202 0-2499 202 0-3999 201 same", async (one) => {
      const first = await patch(one, await start(one), 0, CUT);
      const second = await patch(one, first, CUT, SIZE);
      return words(describe(first), describe(second), await finish(one, second), await compare(one));
    }),
    probe("chunked, the last with PUT", "202 0-2499 201 same", async (one) => {
      const first = await patch(one, await start(one), 0, CUT);
      return words(describe(first), await finishWithChunk(one, first, CUT), await compare(one));
    }),
    probe("chunks out of order", "416 202 0-2499 416 204 0-2499 202 0-3999 201 same", async (one) => {
      const upload = await start(one);
      const early = await patch(one, upload, CUT, SIZE);
      const first = await patch(one, upload, 0, CUT);
      const again = await patch(one, first, 0, CUT);
      const status = await one.registry.send("GET", first.location);
      const second = await patch(one, status, CUT, SIZE);
      const end = [await finish(one, second), await compare(one)];
      return words(early.status, describe(first), again.status, describe(status), describe(second), ...end);
    }),
    probe("chunks out of order, the last with PUT", "202 0-2499 416 201 same", async (one) => {
      const first = await patch(one, await start(one), 0, CUT);
      const wrong = await finishWithChunk(one, first, 0);
      const status = await one.registry.send("GET", first.location);
      return words(describe(first), wrong, await finishWithChunk(one, status, CUT), await compare(one));
    }),
    probe("ranges", "500-1499 500-3999 3500-3999 2000-3999 416 416", async (one) => {
      await one.registry.pushBlob(one.content, one.digest);
      const seen: string[] = [];
      for (const range of ["500-1499", "500-", "-500", "2000-5000", "500-0", "5000-10000"]) {
        seen.push(await readRange(one, range));
      }
      return words(...seen);
    }),
    probe("empty", "201 same", async ({ registry }) => pushAndCompare(registry, Buffer.alloc(0), algorithm)),
    probe("empty JSON", "201 same", async ({ registry }) =>
      pushAndCompare(registry, Buffer.from(EMPTY_BYTES), algorithm),
    ),
    probe("a wrong digest", "400 400 400 400 400 404", async (one) => {
      const wrong = { ...one, digest: digestOf(randomBytes(10), algorithm) };
      const path = one.registry.path(`blobs/uploads/?digest=${wrong.digest}`);
      const posted = await one.registry.send("POST", path, { body: one.content });
      const put = await finish(wrong, await start(one), one.content);
      const chunked = await finish(wrong, await patch(one, await start(one), 0, SIZE));
      const last = await finishWithChunk(wrong, await patch(one, await start(one), 0, CUT), CUT);
      const upload = await start(one);
      const body = { body: one.content, isStream: true };
      const streamed = await finish(wrong, await one.registry.send("PATCH", upload.location, body));
      return words(posted.status, put, chunked, last, streamed, await compare(wrong));
    }),
  ];
}

interface Asked {
  readonly registry: ObservedRegistry;
  readonly content: Buffer;
  readonly digest: Digest;
}

type Ask = (one: Asked & { readonly algorithm: DigestAlgorithm }) => Promise<string>;

/** Observations as a table shows them. */
export function words(...seen: readonly (string | number)[]): string {
  return seen.join(" ");
}

function hasLocation({ location, status }: Observed): string {
  return location === "" ? "nowhere" : String(status);
}

function describe({ headers, status }: Observed): string {
  return words(status, ...(headers["range"] === undefined ? [] : [String(headers["range"])]));
}

async function start({ registry, digest }: Asked, query?: string): Promise<Observed> {
  const algorithm = digest.startsWith("sha512") ? "?digest-algorithm=sha512" : "";
  return registry.startUpload(query === undefined ? algorithm : `?${query}`);
}

async function patch(
  { registry, content }: Asked,
  { location }: Observed,
  from: number,
  to: number,
): Promise<Observed> {
  const headers = { "content-range": `${from}-${to - 1}` };
  return registry.send("PATCH", location, { body: content.subarray(from, to), headers });
}

async function finish(
  { registry, digest }: Asked,
  upload: Observed,
  body: Uint8Array = Buffer.alloc(0),
): Promise<number> {
  return (await registry.send("PUT", registry.closing(upload, digest), { body })).status;
}

async function finishWithChunk(
  { registry, content, digest }: Asked,
  upload: Observed,
  from: number,
): Promise<number> {
  const headers = { "content-range": `${from}-${content.byteLength - 1}` };
  const body = content.subarray(from);
  return (await registry.send("PUT", registry.closing(upload, digest), { body, headers })).status;
}

async function compare({ registry, content, digest }: Asked): Promise<string> {
  return registry.compare(registry.path(`blobs/${digest}`), content);
}

async function mountInto({ registry, content, digest }: Asked, query: string): Promise<string> {
  const other = `${registry.repository}-two`;
  const mounted = await registry.send("POST", registry.path(`blobs/uploads/?${query}`, other));
  return words(mounted.status, await registry.compare(registry.path(`blobs/${digest}`, other), content));
}

async function readRange({ registry, content, digest }: Asked, range: string): Promise<string> {
  const headers = { range: `bytes=${range}` };
  const path = registry.path(`blobs/${digest}`);
  const answer = await registry.send("GET", path, { headers }).catch(() => undefined);
  if (answer === undefined) return "cut";
  if (answer.status !== 206) return String(answer.status);
  const seen = String(answer.headers["content-range"]);
  const [, from = "", to = ""] = /^bytes (\d+)-(\d+)\/4000$/.exec(seen) ?? [];
  const part = content.subarray(Number(from), Number(to) + 1);
  return answer.body.equals(part) ? `${from}-${to}` : "different";
}

async function pushAndCompare(
  registry: ObservedRegistry,
  content: Buffer,
  algorithm: DigestAlgorithm,
): Promise<string> {
  const digest = digestOf(content, algorithm);
  return words(await registry.pushBlob(content, digest), await compare({ registry, content, digest }));
}
