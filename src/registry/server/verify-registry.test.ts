// SPDX-License-Identifier: Apache-2.0
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { streamOf } from "../../core/byte-stream.ts";
import { describeBytes, type Descriptor, packArtifact } from "../../oci/index.ts";
import { openRegistryRepository } from "../client/index.ts";
import { startRegistryServer } from "./start-registry-server.ts";
import { isRegistryFolder, verifyRegistryFolder } from "./verify-registry.ts";

const CONTENT = new TextEncoder().encode("content");
const BLOB = describeBytes(CONTENT, "text/plain");

let folder: string;
let manifest: Descriptor;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "verify-registry-"));
  const server = await startRegistryServer({ folder });
  const repository = openRegistryRepository({ registry: server.address, repository: "a/b" });
  const packed = packArtifact("x/y", [{ title: "a", ...BLOB }]);
  await repository.putBlob(BLOB, streamOf(CONTENT));
  for (const empty of packed.blobs.slice(0, 1)) await repository.putBlob(empty, streamOf(Buffer.from("{}")));
  await repository.putManifest(packed.descriptor, packed.bytes, { tag: "1" });
  await server.close();
  manifest = packed.descriptor;
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function blobFile({ digest }: Descriptor): string {
  const encoded = digest.slice(7);
  return join(folder, "blobs/sha256", encoded.slice(0, 2), encoded);
}

describe("a registry's folder", () => {
  test("is sound as the server leaves it, and told from others", async () => {
    expect(await verifyRegistryFolder(folder, { deep: true })).toEqual({ problems: [], checked: 3 });
    expect(await isRegistryFolder(folder)).toBe(true);
    expect(await isRegistryFolder(join(folder, "blobs"))).toBe(false);
  });

  test("with an altered blob is found out by reading it", async () => {
    await appendFile(blobFile(BLOB), "!");
    expect(await verifyRegistryFolder(folder)).toMatchObject({ problems: [] });
    expect(await verifyRegistryFolder(folder, { deep: true })).toMatchObject({
      problems: [{ kind: "altered", digest: BLOB.digest }],
    });
  });

  test("with a blob, a manifest or a tag that is gone, or something that is none, is found out at once", async () => {
    const inside = join(folder, "repositories/a/b");
    await writeFile(`${blobFile(BLOB)}.old`, "");
    await rm(join(inside, "_blobs/sha256", BLOB.digest.slice(7)));
    await writeFile(join(inside, "_tags/broken"), "{");
    expect((await verifyRegistryFolder(folder)).problems.map(({ kind }) => kind)).toEqual([
      "stray",
      "missing",
      "unreadable",
    ]);
    await appendFile(join(inside, "_manifests/sha256", manifest.digest.slice(7)), " ");
    expect((await verifyRegistryFolder(folder)).problems.map(({ kind }) => kind)).toContain("altered");
    await rm(join(inside, "_manifests/sha256", manifest.digest.slice(7)));
    expect((await verifyRegistryFolder(folder)).problems).toContainEqual(
      expect.objectContaining({ kind: "missing", digest: manifest.digest }),
    );
  });
});
