// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { expect, test } from "vitest";
import { collectBytes, streamOf } from "../../core/byte-stream.ts";
import { describeBytes } from "../../oci/index.ts";
import { UploadFeed } from "./upload-feed.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
const descriptor = describeBytes(bytes, "application/octet-stream");

test("gives any part of the window again, whatever the chunks", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.tuple(fc.nat(400), fc.nat(400)), { maxLength: 8 }),
      async (chunkSize, steps) => {
        const feed = new UploadFeed(chunksOf(chunkSize), descriptor, 200);
        let at = 0;
        for (const [back, ahead] of steps) {
          const from = Math.max(feed.start, at - back);
          const to = Math.min(bytes.byteLength, from + ahead);
          expect(await collectBytes(feed.read(from, to))).toEqual(bytes.slice(from, to));
          at = Math.max(at, to);
          expect(at - feed.start).toBeGreaterThanOrEqual(Math.min(at, 200 - chunkSize));
        }
      },
    ),
  );
});

test("passes over what comes before the first byte that is asked for", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.nat(1000),
      fc.nat(1000),
      async (chunkSize, from, length) => {
        const feed = new UploadFeed(chunksOf(chunkSize), descriptor, 200);
        const to = Math.min(bytes.byteLength, from + length);
        expect(await collectBytes(feed.read(from, to))).toEqual(bytes.slice(from, to));
      },
    ),
  );
});

test("hears what its source finds wrong at the end", async () => {
  const feed = new UploadFeed(wrongAtTheEnd(), descriptor, 100);
  expect(await collectBytes(feed.read(0, 1000))).toEqual(bytes);
  await expect(feed.finish()).rejects.toThrow("wrong");
  await expect(new UploadFeed(streamOf(bytes), descriptor, 100).finish()).resolves.toBe(undefined);
});

test.each([
  ["fewer", { ...descriptor, size: 1001 }],
  ["more", { ...descriptor, size: 999 }],
])("fails when the content has %s bytes than it should, and remembers why", async (_, wrong) => {
  const feed = new UploadFeed(streamOf(bytes), wrong, 100);
  const reading = collectBytes(feed.read(0, wrong.size));
  await expect(reading).rejects.toMatchObject({ code: "SIZE_MISMATCH" });
  expect(feed.failure).toMatchObject({ code: "SIZE_MISMATCH" });
});

async function* chunksOf(size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.slice(at, at + size);
}

async function* wrongAtTheEnd(): AsyncGenerator<Uint8Array> {
  yield bytes;
  throw new Error("wrong");
}
