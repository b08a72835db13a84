// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { collectBytes, streamOf } from "../../src/core/byte-stream.ts";
import { describeBytes, EMPTY_BYTES, EMPTY_DESCRIPTOR, MEDIA_TYPES } from "../../src/oci/index.ts";
import {
  type CredentialSource,
  openRegistryRepository,
  type RegistryRepository,
  type RegistryRepositoryOptions,
} from "../../src/registry/index.ts";
import {
  type Fault,
  type FaultyExchange,
  type FaultyRegistry,
  startFaultyRegistry,
} from "../support/faulty-registry.ts";

const SECRET = "SENTINEL-secret";
const credentials: CredentialSource = async () => ({ kind: "password", username: "ann", password: SECRET });
const identity: CredentialSource = async () => ({ kind: "identity-token", token: "ID" });
const bytes = randomBytes(2_000_000);
const blob = describeBytes(bytes, "application/octet-stream");

const running: FaultyRegistry[] = [];
afterEach(async () => {
  for (const registry of running.splice(0)) await registry.close();
});

describe("credentials", () => {
  test("go to the registry only, not where it redirects to, neither for downloads nor for uploads", async () => {
    const elsewhere = await start(({ reply }) => reply(200, {}, bytes));
    const front = await start((exchange) => {
      const { forward, reply, request, target } = exchange;
      if (!hasBasic(exchange)) return;
      const location = `http://${elsewhere.address}/elsewhere?signature=x`;
      if (request.method === "GET" && target.includes("/blobs/")) reply(307, { location });
      else if (request.method === "POST") reply(202, { location });
      else forward();
    });
    const repository = open(front, { credentials });
    expect(bytes.equals(await collectBytes(repository.openBlob(blob)))).toBe(true);
    await expect(repository.putBlob(blob, streamOf(bytes))).rejects.toMatchObject({
      code: "REGISTRY_FAILED",
    });
    expect(front.seen.some(({ authorization }) => authorization !== undefined)).toBe(true);
    expect(elsewhere.seen.map(({ method }) => method)).toEqual(expect.arrayContaining(["GET", "PATCH"]));
    expect(elsewhere.seen.every(({ authorization }) => authorization === undefined)).toBe(true);
    expect(elsewhere.seen.every(({ target }) => target.includes("signature=x"))).toBe(true);
  });

  test.each([
    ["http://169.254.169.254/token"],
    ["http://10.0.0.1/token"],
    ["file:///etc/passwd"],
    ["http://ann:pw@127.0.0.1/token"],
    ["nonsense"],
  ])("are not sent to the token service %s", async (realm) => {
    const front = await start(({ reply }) => reply(401, { "www-authenticate": `Bearer realm="${realm}"` }));
    await expect(open(front, { credentials }).resolveManifest("v1")).rejects.toMatchObject({
      code: "POLICY_REFUSED",
    });
    expect(front.seen).toHaveLength(1);
  });

  test.each(["http://10.0.0.1/x", "http://169.254.169.254/latest"])(
    "a redirect to %s is refused",
    async (location) => {
      const front = await start(({ reply }) => reply(302, { location }));
      await expect(open(front).resolveManifest("v1")).rejects.toMatchObject({ code: "POLICY_REFUSED" });
    },
  );

  test("a redirect in a circle ends", async () => {
    const front = await start(({ reply, target }) => reply(302, { location: target }));
    await expect(open(front).resolveManifest("v1")).rejects.toMatchObject({ code: "REGISTRY_FAILED" });
    expect(front.seen.length).toBeLessThan(20);
  });

  test("never stand in an error", async () => {
    const front = await start(({ reply }) => reply(401, { "www-authenticate": "Basic realm=x" }, SECRET));
    const failure = await open(front, { credentials })
      .resolveManifest("v1")
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "AUTH_DENIED" });
    expect(JSON.stringify(failure) + String((failure as Error).stack)).not.toContain("SENTINEL");
    expect(front.seen).toHaveLength(2);
  });

  test("that are missing are asked for", async () => {
    const front = await start(({ reply }) => reply(401, { "www-authenticate": "Basic realm=x" }));
    await expect(open(front).resolveManifest("v1")).rejects.toMatchObject({ code: "AUTH_REQUIRED" });
  });
});

describe("tokens", () => {
  test("are fetched once for many requests, with the scope that is needed", async () => {
    const service = tokenService({ lifetime: 300 });
    const front = await start(service.fault);
    const repository = open(front, { credentials });
    await repository.putBlob(blob, streamOf(bytes));
    await Promise.all([repository.hasBlob(blob), repository.hasBlob(blob), repository.hasBlob(blob)]);
    expect(service.asked.map(({ scope }) => scope)).toEqual([
      ["repository:a:pull,push"],
      ["repository:a:pull"],
    ]);
  });

  test("that come of age in the middle of an upload are replaced", async () => {
    const service = tokenService({ lifetime: 300, uses: 2 });
    const front = await start(service.fault);
    const repository = open(front, { credentials, chunkSize: 300_000 });
    await repository.putBlob(blob, streamOf(bytes));
    expect(await repository.hasBlob(blob)).toBe(true);
    expect(service.asked.length).toBeGreaterThan(3);
  });

  test("that never suffice are given up", async () => {
    const service = tokenService({ lifetime: 300, uses: 0 });
    const front = await start(service.fault);
    await expect(open(front, { credentials }).resolveManifest("v1")).rejects.toMatchObject({
      code: "AUTH_DENIED",
    });
    expect(front.seen.length).toBeLessThan(10);
  });

  test("are got for an identity token by POST, and by GET where that is not known", async () => {
    const service = tokenService({ lifetime: 300, identity: "ID" });
    const front = await start(service.fault);
    expect(await open(front, { credentials: identity }).hasBlob(blob)).toBe(false);
    expect(service.asked[0]).toMatchObject({ method: "POST" });
    const old = tokenService({ lifetime: 300 });
    const older = await start(old.fault);
    expect(await open(older, { credentials: identity }).hasBlob(blob)).toBe(false);
  });
});

describe("a registry that is busy", () => {
  test.each([
    ["429 with seconds", 429, { "retry-after": "0" }],
    ["429 with a date", 429, { "retry-after": "Thu, 01 Jan 2026 00:00:00 GMT" }],
    ["429 with nonsense", 429, { "retry-after": "soon" }],
    ["503", 503, {}],
  ])("is asked again after %s", async (_, status, headers) => {
    const front = await start(({ earlier, forward, reply }) => {
      if (earlier < 3) reply(status, headers);
      else forward();
    });
    expect(await open(front).hasBlob(blob)).toBe(false);
    expect(front.seen).toHaveLength(4);
  });

  test("is left alone in the end, and the error says why", async () => {
    const front = await start(({ reply }) => reply(429, { "retry-after": "0" }));
    await expect(open(front).hasBlob(blob)).rejects.toMatchObject({ code: "REGISTRY_RATE_LIMITED" });
    expect(front.seen).toHaveLength(5);
  });

  test.each([400, 403, 405, 413])("is not asked again after %i", async (status) => {
    const front = await start(({ reply }) => reply(status));
    await expect(open(front).hasBlob(blob)).rejects.toMatchObject({
      code: expect.stringMatching(/FAILED|DENIED/),
    });
    expect(front.seen).toHaveLength(1);
  });

  test("that is not there is a clear error", async () => {
    const front = await start(({ reply }) => reply(200));
    const repository = open(front);
    await running.pop()?.close();
    await expect(repository.hasBlob(blob)).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
  });
});

describe("a manifest", () => {
  test("of another type than its own, or of other bytes, is refused", async () => {
    const document = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: [] });
    const front = await start(({ reply, request }) => {
      if (request.method === "HEAD") reply(405);
      else reply(200, { "content-type": MEDIA_TYPES.imageManifest }, document);
    });
    await expect(open(front).resolveManifest("v1")).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
    const wrong = { ...describeBytes(EMPTY_BYTES, MEDIA_TYPES.imageManifest) };
    await expect(open(front).fetchManifest(wrong)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
  });

  test("that is too large is not read", async () => {
    const front = await start(({ response }) => {
      response.writeHead(200, { "content-type": MEDIA_TYPES.imageManifest });
      const more = (): void => {
        while (!response.destroyed && response.write(bytes));
      };
      response.on("drain", more);
      more();
    });
    await expect(open(front).fetchManifest(EMPTY_DESCRIPTOR)).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
    });
  });

  test("is resolved by its bytes where the registry leaves headers out", async () => {
    const front = await start(({ forward }) =>
      forward(({ headers }) => delete headers["docker-content-digest"]),
    );
    const repository = open(front);
    await repository.putBlob(EMPTY_DESCRIPTOR, streamOf(EMPTY_BYTES));
    const document = { schemaVersion: 2, config: EMPTY_DESCRIPTOR, layers: [], artifactType: "x/y" };
    const body = Buffer.from(JSON.stringify(document));
    const descriptor = describeBytes(body, MEDIA_TYPES.imageManifest);
    await repository.putManifest(descriptor, body, { tag: "v1" });
    expect(await repository.resolveManifest("v1")).toEqual(descriptor);
  });
});

test("warnings are told once each, without control characters", async () => {
  const told: string[] = [];
  const front = await start(({ forward }) =>
    forward(({ headers }) => {
      headers["warning"] = ['299 - "moving \\"soon\\""', '199 - "not for us"', "299 - broken"];
    }),
  );
  const repository = open(front, { onWarning: (text) => told.push(text) });
  await repository.hasBlob(blob);
  await repository.hasBlob(blob);
  expect(told).toEqual(['moving "soon"']);
});

async function start(fault: Fault): Promise<FaultyRegistry> {
  const registry = await startFaultyRegistry(fault);
  running.push(registry);
  return registry;
}

function open({ address }: FaultyRegistry, options: RegistryRepositoryOptions = {}): RegistryRepository {
  const retry = { firstDelay: 1, longestDelay: 5 };
  return openRegistryRepository(
    { registry: address, repository: "a" },
    { retry, idleTimeout: 2000, ...options },
  );
}

function hasBasic({ reply, request }: FaultyExchange): boolean {
  if (request.headers.authorization?.startsWith("Basic ") === true) return true;
  reply(401, { "www-authenticate": 'Basic realm="x"' });
  return false;
}

interface TokenService {
  readonly fault: Fault;
  readonly asked: { method: string; scope: string[] }[];
}

/** A registry that wants tokens, and the service that gives them. Each token is good for `uses` requests. */
function tokenService({
  lifetime,
  uses = 1000,
  identity,
}: {
  lifetime: number;
  uses?: number;
  identity?: string;
}): TokenService {
  const asked: TokenService["asked"] = [];
  const left = new Map<string, number>();
  const give = ({ reply }: FaultyExchange): void => {
    const token = `t${left.size}`;
    left.set(`Bearer ${token}`, uses);
    reply(200, {}, JSON.stringify({ access_token: token, expires_in: lifetime }));
  };
  const fault: Fault = (exchange) => {
    const { forward, reply, request, target } = exchange;
    if (target.startsWith("/token")) {
      const query = new URLSearchParams(target.split("?")[1]);
      asked.push({ method: request.method ?? "", scope: query.getAll("scope") });
      if (request.method === "POST" && identity === undefined) reply(404);
      else give(exchange);
      return;
    }
    const authorization = request.headers.authorization ?? "";
    const remaining = left.get(authorization) ?? 0;
    left.set(authorization, remaining - 1);
    if (remaining > 0) {
      forward();
      return;
    }
    const realm = `http://${request.headers.host}/token`;
    reply(401, { "www-authenticate": `Bearer realm="${realm}",service="s"`, connection: "close" });
  };
  return { fault, asked };
}
