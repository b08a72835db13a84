// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createHttpDispatcher, type HttpDispatcherOptions } from "../../src/core/http-dispatcher.ts";
import { copyImage, createMemoryStore } from "../../src/oci/index.ts";
import {
  openRegistryRepository,
  type RegistryRepository,
  type RegistryServer,
  startRegistryServer,
} from "../../src/registry/index.ts";
import { canMakeCertificates, makeCertificate, type SelfSigned } from "../support/certificate.ts";
import { makeFolder, type TemporaryFolder } from "../support/programs.ts";
import { addSampleImage } from "../support/sample-image.ts";
import { startTunnelProxy, type TunnelProxy } from "../support/tunnel-proxy.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

describe.runIf(canMakeCertificates())("a registry over TLS", () => {
  let certificate: SelfSigned;
  beforeAll(async () => {
    certificate = await makeCertificate();
  });

  test("is trusted by its certificate authority, and by nothing else", async () => {
    const server = await serve({ tls: certificate });
    expect(server.url).toMatch(/^https:/);
    const trusted = open(server, { ca: [certificate.cert] });
    const image = await addSampleImage(trusted, { tag: "v1", size: 1_500_000 });
    await copyImage(trusted, createMemoryStore(), image.index);
    await expect(open(server, {}).resolveManifest("v1")).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
      message: expect.stringMatching(/cannot be trusted over TLS/) as string,
    });
    const other = await makeCertificate();
    await expect(open(server, { ca: [other.cert] }).resolveManifest("v1")).rejects.toMatchObject({
      code: "REGISTRY_UNREACHABLE",
    });
  });

  test("is never asked in plain HTTP, nor a plain one over TLS", async () => {
    const server = await serve({ tls: certificate });
    await expect(open(server, {}, true).resolveManifest("v1")).rejects.toMatchObject({
      code: expect.stringMatching(/^REGISTRY_/) as string,
    });
    const plain = await serve({});
    await expect(open(plain, { ca: [certificate.cert] }, false).resolveManifest("v1")).rejects.toMatchObject({
      code: expect.stringMatching(/^REGISTRY_/) as string,
    });
  });

  test("other machines are served with passwords and TLS only", async () => {
    const folder = await makeFolder("tls");
    closing.push(folder.remove);
    const serving = startRegistryServer({ folder: folder.path, listen: "0.0.0.0:0", tls: certificate });
    await expect(serving).rejects.toMatchObject({ code: "POLICY_REFUSED" });
  });

  test("is reached through a proxy, which sees no password and no content", async () => {
    const server = await serve({ tls: certificate });
    const proxy = await startProxy();
    const options = { ca: [certificate.cert], proxy: { httpsProxy: proxy.url } };
    const image = await addSampleImage(open(server, options), { tag: "v1" });
    expect(proxy.connected).toContain(server.address);
    expect(new Set(proxy.connected)).toEqual(new Set([server.address]));
    expect(proxy.authorizations).toEqual([]);
    const direct = open(server, { ...options, proxy: { httpsProxy: proxy.url, noProxy: "127.0.0.1" } });
    const before = proxy.connected.length;
    expect((await direct.resolveManifest("v1")).digest).toBe(image.index.digest);
    expect(proxy.connected).toHaveLength(before);
  });
});

test("a plain registry is reached through a proxy too", async () => {
  const server = await serve({});
  const proxy = await startProxy();
  await addSampleImage(open(server, { proxy: { httpProxy: proxy.url } }), { tag: "v1" });
  expect(proxy.connected).toContain(server.address);
});

test("a proxy that is not there, or refuses, is a clear error", async () => {
  const server = await serve({});
  const gone = await startProxy();
  await gone.close();
  const unreachable = open(server, { proxy: { httpProxy: gone.url } });
  await expect(unreachable.resolveManifest("v1")).rejects.toMatchObject({ code: "REGISTRY_UNREACHABLE" });
  const refusing = await startProxy(407);
  const refused = open(server, { proxy: { httpProxy: refusing.url } });
  await expect(refused.resolveManifest("v1")).rejects.toMatchObject({
    code: expect.stringMatching(/^(REGISTRY_|AUTH_)/) as string,
  });
});

async function serve(options: { readonly tls?: SelfSigned }): Promise<RegistryServer> {
  const folder: TemporaryFolder = await makeFolder("network");
  const server = await startRegistryServer({ folder: folder.path, stopTimeout: 100, ...options });
  closing.push(folder.remove, async () => server.close());
  return server;
}

function open(
  { address, url }: RegistryServer,
  options: HttpDispatcherOptions,
  plainHttp: boolean = url.startsWith("http:"),
): RegistryRepository {
  const dispatcher = createHttpDispatcher(options);
  closing.push(async () => dispatcher.destroy());
  const retry = { tries: 2, firstDelay: 1, longestDelay: 5 };
  return openRegistryRepository(
    { registry: address, repository: "a" },
    { dispatcher, plainHttp, retry, idleTimeout: 3000 },
  );
}

interface Proxy extends TunnelProxy {
  /** `HOST:PORT` of each connection that was asked for. */
  readonly connected: string[];
  readonly authorizations: string[];
}

/** Absent `refusal`: it connects to what it is told to. */
async function startProxy(refusal?: number): Promise<Proxy> {
  const connected: string[] = [];
  const authorizations: string[] = [];
  const proxy = await startTunnelProxy(({ url = "", headers }) => {
    connected.push(url);
    if (headers.authorization !== undefined) authorizations.push(headers.authorization);
    const [host = "", port] = url.split(":");
    return refusal ?? { host, port: Number(port) };
  }, refusal);
  closing.push(proxy.close);
  return { ...proxy, connected, authorizations };
}
