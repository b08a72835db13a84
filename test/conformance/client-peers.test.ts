// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, test } from "vitest";
import { ToolingError } from "../../src/core/error.ts";
import { copyImage, createMemoryStore, digestOf } from "../../src/oci/index.ts";
import { openRegistryRepository, type RegistryRepository } from "../../src/registry/index.ts";
import {
  type PeerAuth,
  PEERS,
  type PeerName,
  type PeerRegistry,
  startPeer,
  USER,
} from "../support/peer-registry.ts";
import { hasZot } from "../support/zot.ts";
import { addSampleArtifact, addSampleImage, type SampleImage } from "../support/sample-image.ts";

/** What a peer cannot do, with the answer that our client gives then. A peer that learns it fails the test. */
const CANNOT: Readonly<Record<PeerName, { readonly deleteTag?: string; readonly deleteBlob?: string }>> = {
  toolbox: {},
  "docker-registry": { deleteTag: "REGISTRY_FAILED" },
  crane: {},
  // A blob that a manifest names stays.
  zot: { deleteBlob: "REGISTRY_FAILED" },
};

const AUTHS: readonly PeerAuth[] = ["nobody", "htpasswd", "token"];

let peer: PeerRegistry | undefined;
afterEach(async () => {
  await peer?.stop();
  peer = undefined;
});

/** One line instead of many tests that are not there. */
test.runIf(hasZot())("zot is among the registries (needs TOOLBOX_ZOT)", () => {
  expect(PEERS.map(([name]) => name)).toContain("zot");
});

describe.each(PEERS)("our client and the registry of %s", (name, isHere) => {
  test.runIf(isHere).each(AUTHS)(
    "push, pull, copy, attach, list and delete, for %s",
    { timeout: 900_000 },
    async (auth) => {
      peer = await startPeer(name, auth);
      const repository = open("team/image");
      const image = await addSampleImage(repository, { tag: "v1" });
      await expectWhole(repository, image);

      const other = open("team/other");
      const mountBlob = other.mountBlob.bind(other);
      await copyImage(repository, other, image.index, {
        tag: "copy",
        mountBlob: async (blob, options) => mountBlob(blob, { ...options, from: "team/image" }),
      });
      await expectWhole(other, image);
      expect(await namesOf(other)).toContain("copy");

      const note = await addSampleArtifact(repository, "test/note", { subject: image.index });
      await addSampleArtifact(repository, "test/other", { subject: image.index });
      expect((await repository.listReferrers(image.index.digest)).map(typeOf).toSorted()).toEqual([
        "test/note",
        "test/other",
      ]);
      await repository.deleteManifest(note.digest);
      const left = await repository.listReferrers(image.index.digest, { artifactType: "test/note" });
      expect(left).toEqual([]);

      const { deleteBlob, deleteTag } = CANNOT[name];
      await expectOutcome(repository.deleteTag("v1"), deleteTag);
      expect(await repository.hasManifest(image.index)).toBe(true);
      await repository.deleteManifest(image.index.digest);
      await expect(repository.resolveManifest("v1")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
      const [blob] = image.blobs;
      if (blob === undefined) throw new Error("no blob");
      await expectOutcome(other.deleteBlob(blob.digest), deleteBlob);
      expect(await other.hasBlob(blob)).toBe(deleteBlob !== undefined);
    },
  );

  test.runIf(isHere).each(["htpasswd", "token"] as const)(
    "a wrong password, or none, is a clear error: %s",
    { timeout: 900_000 },
    async (auth) => {
      peer = await startPeer(name, auth);
      const descriptor = { mediaType: "a/b", digest: digestOf("x"), size: 1 };
      const wrong = open("team/image", { ...USER, password: "wrong" });
      await expect(wrong.hasBlob(descriptor)).rejects.toMatchObject({ code: "AUTH_DENIED" });
      const nobody = openRegistryRepository({ registry: peer.host, repository: "team/image" });
      await expect(nobody.hasBlob(descriptor)).rejects.toMatchObject({ code: "AUTH_REQUIRED" });
    },
  );
});

function open(repository: string, user: { name: string; password: string } = USER): RegistryRepository {
  return openRegistryRepository(
    { registry: peer?.host ?? "", repository },
    {
      credentials: async () => ({ kind: "password", username: user.name, password: user.password }),
      retry: { firstDelay: 1, longestDelay: 10 },
    },
  );
}

/** Pulls everything below a manifest; all of it is checked against its digest on the way. */
async function expectWhole(repository: RegistryRepository, image: SampleImage): Promise<void> {
  const store = createMemoryStore();
  await copyImage(repository, store, await repository.resolveManifest(image.index.digest));
  for (const blob of image.blobs) expect(await store.hasBlob(blob)).toBe(true);
  for (const manifest of image.manifests) expect(await store.hasManifest(manifest)).toBe(true);
}

async function namesOf(repository: RegistryRepository): Promise<string[]> {
  const names: string[] = [];
  for await (const name of repository.listTags()) names.push(name);
  return names;
}

function typeOf({ artifactType }: { readonly artifactType?: string | undefined }): string {
  return artifactType ?? "";
}

async function expectOutcome(work: Promise<void>, code: string | undefined): Promise<void> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => (error instanceof ToolingError ? error.code : error),
  );
  expect(outcome).toBe(code);
}
