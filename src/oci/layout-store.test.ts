// SPDX-License-Identifier: Apache-2.0
import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addTextImage, text } from "../../test/support/text-image.ts";
import { type ByteStream, collectBytes, streamOf } from "../core/byte-stream.ts";
import { type Descriptor } from "./descriptor.ts";
import { type Digest, digestOf } from "./digest.ts";
import { type LayoutStore, openLayoutStore } from "./layout-store.ts";
import { MEDIA_TYPES } from "./media-type.ts";

let folder: string;
let store: LayoutStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "layout-"));
  store = await openLayoutStore(folder);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("a layout store", () => {
  test("is a valid OCI layout from the start", async () => {
    expect(JSON.parse(await readFile(join(folder, "oci-layout"), "utf8"))).toEqual({
      imageLayoutVersion: "1.0.0",
    });
    expect(JSON.parse(await readFile(join(folder, "index.json"), "utf8"))).toMatchObject({
      schemaVersion: 2,
      manifests: [],
    });
  });

  test("gives back what it was given, under its digest, read-only", async () => {
    const { digest, size } = await store.ingestBlob(streamOf(text("hello")));
    expect(digest).toBe("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    expect(size).toBe(5);
    expect((await stat(store.blobPath(digest))).mode & 0o777).toBe(0o444);
    expect(await collectBytes(store.openBlob({ digest, size }))).toEqual(text("hello"));
    expect(await readdir(join(folder, "ingest"))).toEqual([]);
  });

  test("keeps blobs named by sha512", async () => {
    const descriptor = { digest: digestOf("hello", "sha512"), size: 5 };
    await store.putBlob(descriptor, streamOf(text("hello")));
    expect(await store.hasBlob(descriptor)).toBe(true);
    expect(store.blobPath(descriptor.digest)).toContain(join("blobs", "sha512"));
  });

  test.each([
    ["longer", "hello!", "SIZE_MISMATCH"],
    ["shorter", "hell", "SIZE_MISMATCH"],
    ["different", "jello", "DIGEST_MISMATCH"],
  ])("refuses content that is %s than announced, and keeps nothing of it", async (_, content, code) => {
    const descriptor = { digest: digestOf("hello"), size: 5 };
    await expect(store.putBlob(descriptor, streamOf(text(content)))).rejects.toMatchObject({ code });
    expect(await store.hasBlob(descriptor)).toBe(false);
    expect(await readdir(join(folder, "ingest"))).toEqual([]);
    expect(await readdir(join(folder, "blobs", "sha256"))).toEqual([]);
  });

  test("stops endless content at the first byte too many", async () => {
    let given = 0;
    const endless = async function* (): ByteStream & AsyncGenerator<Uint8Array> {
      for (;;) {
        given += 1;
        yield new Uint8Array(1024);
      }
    };
    await expect(store.putBlob({ digest: digestOf(""), size: 2048 }, endless())).rejects.toMatchObject({
      code: "SIZE_MISMATCH",
    });
    expect(given).toBe(3);
  });

  test("keeps nothing of content that breaks off or is given up", async () => {
    await expect(store.ingestBlob(breakOff())).rejects.toThrow("connection lost");
    const abort = new AbortController();
    const stopped = async function* (): AsyncGenerator<Uint8Array> {
      yield text("some");
      abort.abort(new Error("enough"));
      yield text("more");
    };
    await expect(store.ingestBlob(stopped(), { signal: abort.signal })).rejects.toThrow("enough");
    expect(await readdir(join(folder, "ingest"))).toEqual([]);
  });

  test("does not take a file of the wrong size for the blob, and puts it right", async () => {
    const descriptor = await store.ingestBlob(streamOf(text("hello")));
    await chmod(store.blobPath(descriptor.digest), 0o644);
    await writeFile(store.blobPath(descriptor.digest), "hell");
    expect(await store.hasBlob(descriptor)).toBe(false);
    await expect(collectBytes(store.openBlob(descriptor))).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    await store.putBlob(descriptor, streamOf(text("hello")));
    expect(await collectBytes(store.openBlob(descriptor))).toEqual(text("hello"));
  });

  test("does not follow a link in place of a blob", async () => {
    const secret = join(folder, "secret");
    await writeFile(secret, "hello");
    const digest = digestOf("hello");
    await symlink(secret, store.blobPath(digest));
    await expect(collectBytes(store.openBlob({ digest, size: 5 }))).rejects.toMatchObject({
      code: "STORE_CORRUPT",
    });
  });

  test.each([
    "sha256:../../../../etc/passwd",
    "md5:d41d8cd98f00b204e9800998ecf8427e",
    `sha256:${"A".repeat(64)}`,
  ])("makes no path of %s", (digest) => {
    expect(() => store.blobPath(digest as Digest)).toThrow(
      expect.objectContaining({ code: "DIGEST_INVALID" }),
    );
  });

  test("says what is missing", async () => {
    const digest = digestOf("nothing");
    await expect(collectBytes(store.openBlob({ digest, size: 7 }))).rejects.toMatchObject({
      code: "BLOB_NOT_FOUND",
    });
    await expect(store.resolveManifest("no/such:tag")).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    await expect(store.resolveManifest(digest)).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
    await expect(store.tag("a/b:c", manifestDescriptor(digest))).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
    });
  });

  test("refuses a store of a newer version and leaves it alone", async () => {
    await writeFile(join(folder, "toolbox-store.json"), '{"storeVersion":2}');
    await expect(openLayoutStore(folder)).rejects.toMatchObject({ code: "STORE_UNSUPPORTED" });
    await writeFile(join(folder, "toolbox-store.json"), '{"storeVersion":1}');
    await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"2.0.0"}');
    await expect(openLayoutStore(folder)).rejects.toMatchObject({ code: "STORE_UNSUPPORTED" });
  });

  test.skipIf(process.platform === "win32")("refuses a folder that anybody may write to", async () => {
    await chmod(folder, 0o777);
    await expect(openLayoutStore(folder)).rejects.toMatchObject({ code: "POLICY_REFUSED" });
  });

  test.runIf(process.getuid?.() === 0)("refuses a stranger's folder that a group may write to", async () => {
    await chown(folder, 4242, 4243);
    await chmod(folder, 0o775);
    await expect(openLayoutStore(folder)).rejects.toMatchObject({ code: "POLICY_REFUSED" });
    await chown(folder, 4242, 4242);
    expect(await (await openLayoutStore(folder)).listTags()).toEqual([]);
    await chown(folder, 4242, 4243);
    await chmod(folder, 0o755);
    expect(await (await openLayoutStore(folder)).listTags()).toEqual([]);
  });

  test("does not make a layout when told so", async () => {
    await expect(openLayoutStore(join(folder, "none"), { create: false })).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
    });
  });

  test("reports a damaged index.json", async () => {
    await writeFile(join(folder, "index.json"), '{"schemaVersion":2,"schemaVersion":2,"manifests":[]}');
    await expect(store.listTags()).rejects.toMatchObject({ code: "STORE_CORRUPT" });
  });
});

describe("tags", () => {
  test("stand for one manifest, and move", async () => {
    const [first, second] = [await addTextImage(store, "one"), await addTextImage(store, "two")];
    await store.tag("docker.io/best-tools/k8s:1.4", first);
    await store.tag("docker.io/best-tools/k8s:1.4", second);
    await store.tag("docker.io/best-tools/k8s:1.3", first);
    expect((await store.resolveManifest("docker.io/best-tools/k8s:1.4")).digest).toBe(second.digest);
    expect((await store.listTags()).map(({ name }) => name)).toEqual([
      "docker.io/best-tools/k8s:1.3",
      "docker.io/best-tools/k8s:1.4",
    ]);
    expect(await store.untag("docker.io/best-tools/k8s:1.4")).toBe(true);
    expect(await store.untag("docker.io/best-tools/k8s:1.4")).toBe(false);
    expect((await store.resolveManifest(second.digest)).mediaType).toBe(MEDIA_TYPES.imageManifest);
  });

  test("that are given at the same time are all kept", async () => {
    const image = await addTextImage(store, "one");
    const other = await openLayoutStore(folder);
    const names = Array.from({ length: 20 }, (_, index) => `a/b:${index}`);
    await Promise.all(names.map((name, index) => (index % 2 === 0 ? store : other).tag(name, image)));
    expect((await store.listTags()).map(({ name }) => name)).toEqual(names.toSorted());
  });

  test("with other characters are refused", async () => {
    const image = await addTextImage(store, "one");
    await expect(store.tag("a b", image)).rejects.toMatchObject({ code: "REFERENCE_INVALID" });
  });
});

async function* breakOff(): AsyncGenerator<Uint8Array> {
  yield text("some");
  throw new Error("connection lost");
}

function manifestDescriptor(digest: Digest): Descriptor {
  return { mediaType: MEDIA_TYPES.imageManifest, digest, size: 7 };
}
