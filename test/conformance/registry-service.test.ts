// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import bcrypt from "bcryptjs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOf, EMPTY_DESCRIPTOR, MEDIA_TYPES } from "../../src/oci/index.ts";
import { RawRegistry } from "../support/raw-registry.ts";
import {
  type AccessEntry,
  type RegistryServer,
  startRegistryServer,
  type StartRegistryServerOptions,
} from "../../src/registry/index.ts";

let folder: string;
let server: RegistryServer | undefined;
const raw = new RawRegistry(() => server?.url ?? "");

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-registry-"));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

describe("lists", () => {
  test("tags come in pages, after `last`, in ASCII order", async () => {
    await start();
    for (const tag of ["b", "a", "C", "a-1"]) await raw.pushManifest("a", tag);
    expect(await list("")).toEqual({ tags: ["C", "a", "a-1", "b"], link: undefined });
    expect(await list("?n=2")).toEqual({
      tags: ["C", "a"],
      link: '</v2/a/tags/list?n=2&last=a>; rel="next"',
    });
    expect(await list("?n=2&last=a")).toEqual({ tags: ["a-1", "b"], link: undefined });
    expect(await list("?n=0")).toEqual({ tags: [], link: undefined });
    expect(await list("?last=aa")).toEqual({ tags: ["b"], link: undefined });
    expect((await list("?n=1000000000")).tags).toHaveLength(4);
    for (const bad of ["-1", "x", "1e9", "9".repeat(40)])
      await raw.ask("GET", `/v2/a/tags/list?n=${bad}`, 400);
  });

  test("referrers are listed with type and annotations, filtered, also for a subject that never came", async () => {
    await start();
    const subject = { mediaType: MEDIA_TYPES.imageManifest, digest: digestOf("absent"), size: 6 };
    const one = await raw.pushManifest("a", undefined, {
      subject,
      artifactType: "x/1",
      annotations: { k: "v" },
    });
    await raw.pushManifest("a", undefined, { subject, artifactType: "x/2" });
    const all = await raw.ask("GET", `/v2/a/referrers/${subject.digest}`, 200);
    expect(all.headers["content-type"]).toBe(MEDIA_TYPES.imageIndex);
    expect((JSON.parse(String(all.body)) as { manifests: unknown[] }).manifests).toHaveLength(2);
    const some = await raw.ask("GET", `/v2/a/referrers/${subject.digest}?artifactType=x%2F1`, 200);
    expect(some.headers["oci-filters-applied"]).toBe("artifactType");
    expect(JSON.parse(String(some.body))).toMatchObject({
      manifests: [{ digest: one.digest, artifactType: "x/1", annotations: { k: "v" } }],
    });
    await raw.ask("DELETE", `/v2/a/manifests/${one.digest}`, 202);
    const none = await raw.ask("GET", `/v2/a/referrers/${subject.digest}?artifactType=x%2F1`, 200);
    expect(JSON.parse(String(none.body))).toMatchObject({ schemaVersion: 2, manifests: [] });
    await raw.ask("GET", "/v2/a/referrers/sha256:bad", 400);
  });
});

describe("who may do what", () => {
  test("passwords are asked for everything but health, and a new file is noticed", async () => {
    const htpasswd = join(folder, "..", `${folder.split("/").at(-1)}.htpasswd`);
    await writeFile(htpasswd, `ann:${await bcrypt.hash("secret", 4)}\n`);
    const log: AccessEntry[] = [];
    await start({ htpasswd, onAccess: (entry) => log.push(entry) });
    expect((await raw.ask("GET", "/v2/", 401)).headers["www-authenticate"]).toMatch(/^Basic realm=/);
    await raw.ask("GET", "/healthz", 200);
    await raw.ask("GET", "/metrics", 401);
    await raw.ask("GET", "/v2/", 200, basic("ann:secret"));
    await raw.ask("GET", "/v2/", 200, basic("ann:secret"));
    for (const wrong of ["ann:Secret", "bob:secret", "ann:", ":", `ann:secret${"x".repeat(80)}`]) {
      await raw.ask("GET", "/v2/", 401, basic(wrong));
    }
    await raw.ask("GET", "/v2/?token=SENTINEL", 200, basic("ann:secret"));
    await expect.poll(() => log.length).toBeGreaterThanOrEqual(10);
    expect(JSON.stringify(log)).not.toMatch(/secret|SENTINEL|Basic/i);
    expect(log.at(-1)).toMatchObject({ user: "ann", target: "/v2/?token=-", status: 200 });
    await rm(htpasswd);
  });

  test.each([
    ["0.0.0.0:0", {}],
    ["[::]:0", { insecure: false }],
  ])("other machines are not served at %s without passwords and TLS", async (listen, options) => {
    await expect(start({ listen, ...options })).rejects.toMatchObject({ code: "POLICY_REFUSED" });
    expect(await readdir(folder)).toEqual([]);
  });

  test("a web page cannot reach it by another name or from another site", async () => {
    await start();
    for (const host of ["evil.example", "evil.example:5000", "127.0.0.1.evil.example", ""]) {
      await raw.ask("GET", "/v2/", 403, { headers: { host } });
    }
    await raw.ask("GET", "/v2/", 200, { headers: { host: "localhost:1" } });
    await raw.ask("POST", "/v2/a/blobs/uploads/", 403, { headers: { origin: "https://evil.example" } });
  });

  test("a read-only registry reads", async () => {
    await start({ readOnly: true });
    await raw.ask("GET", "/v2/", 200);
    const refused = await raw.ask("POST", "/v2/a/blobs/uploads/", 405, { code: "UNSUPPORTED" });
    expect(refused.headers["allow"]).toBe("");
  });
});

describe("the folder", () => {
  test("belongs to one server at a time, and what a crash leaves is removed", async () => {
    await start();
    await raw.pushManifest("a", "v1");
    await raw.ask("POST", "/v2/a/blobs/uploads/", 202);
    await expect(startRegistryServer({ folder })).rejects.toMatchObject({ code: "STORE_BUSY" });
    await server?.close();
    await writeFile(join(folder, "uploads", "orphan"), "x");
    await writeFile(join(folder, "temporary", "orphan"), "x");
    await writeFile(join(folder, "repositories", "a", "_tags", "torn"), '{"tag":"to');
    await start();
    expect(await readdir(join(folder, "uploads"))).toEqual([]);
    expect(await readdir(join(folder, "temporary"))).toEqual([]);
    await raw.ask("GET", "/v2/a/manifests/v1", 200);
    await raw.ask("GET", "/v2/a/manifests/torn", 404);
  });

  test("a manifest that the disk has changed is not served", async () => {
    await start();
    const { digest } = await raw.pushManifest("a", "v1");
    const path = join(folder, "repositories", "a", "_manifests", "sha256", digest.slice(7));
    await writeFile(path, (await readFile(path, "utf8")).replace("layers", "lAyers"));
    await raw.ask("GET", "/v2/a/manifests/v1", 404);
  });

  test("garbage is what no manifest names; what was used lately stays", async () => {
    await start();
    const kept = await raw.pushManifest("a", "v1");
    const loose = await raw.pushBlob("a", "loose");
    expect(await server?.collectGarbage()).toMatchObject({ unlinked: 0, removed: 0 });
    expect(await server?.collectGarbage({ grace: -1, dryRun: true })).toMatchObject({ unlinked: 1 });
    expect(await server?.collectGarbage({ grace: -1 })).toEqual({ unlinked: 1, removed: 1, freed: 5 });
    await raw.ask("HEAD", `/v2/a/blobs/${loose}`, 404);
    await raw.ask("GET", `/v2/a/blobs/${EMPTY_DESCRIPTOR.digest}`, 200);
    await raw.ask("DELETE", `/v2/a/manifests/${kept.digest}`, 202);
    expect(await server?.collectGarbage({ grace: -1 })).toMatchObject({ removed: 1, freed: 2 });
  });
});

describe("abuse", () => {
  test("large headers, odd paths and unknown methods are refused", async () => {
    await start();
    await raw.ask("GET", "/v2/", 431, { headers: { "x-bomb": "x".repeat(40_000) } });
    await raw.ask("GET", "/v2/%2e%2e/%2e%2e/etc/manifests/v1", 400);
    await raw.ask("PUT", "/v2/", 405);
    await raw.ask("GET", "/nothing", 404);
    await raw.ask("POST", "/v2/a/blobs/uploads/?mount=../../etc/passwd", 400);
  });

  test("metrics count what was served", async () => {
    await start();
    await raw.ask("GET", "/v2/", 200);
    const text = String((await raw.ask("GET", "/metrics", 200)).body);
    expect(text).toContain('toolbox_registry_requests_total{method="GET",route="ping",status="200"} 1\n');
  });
});

async function start(options: Partial<StartRegistryServerOptions> = {}): Promise<void> {
  server = await startRegistryServer({ folder, ...options });
}

async function list(query: string): Promise<{ tags: string[]; link: unknown }> {
  const { body, headers } = await raw.ask("GET", `/v2/a/tags/list${query}`, 200);
  return { tags: (JSON.parse(String(body)) as { tags: string[] }).tags, link: headers["link"] };
}

function basic(text: string): { headers: { authorization: string } } {
  return { headers: { authorization: `Basic ${Buffer.from(text).toString("base64")}` } };
}
