// SPDX-License-Identifier: Apache-2.0
// The bytes of a tar are the identity of a layer, and those of its gzip what registries are asked for. These digests
// may change only together with a decision record: every image that was ever built gets new layers then.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  type ArchiveEntry,
  compressGzip,
  compressZstd,
  fileEntryOf,
  sortEntries,
  writeTar,
} from "../../src/archive/index.ts";
import { collectBytes, streamOf } from "../../src/core/byte-stream.ts";

const ENTRIES: readonly ArchiveEntry[] = sortEntries([
  fileEntryOf("etc/motd", "welcome\n"),
  fileEntryOf("usr/local/bin/tool", programOf(5_000_000), { mode: 0o755 }),
  fileEntryOf("usr/bin/sudo", "#!/bin/sh\n", { mode: 0o4755 }),
  fileEntryOf(`usr/share/${"long/".repeat(50)}name`, "x"),
  fileEntryOf("usr/share/doc/straße", "x", { uid: 1000, gid: 3_000_000 }),
  { type: "directory", path: "tmp", mode: 0o1777, uid: 0, gid: 0 },
  { type: "symlink", path: "bin", target: "usr/bin", mode: 0o777, uid: 0, gid: 0 },
  {
    type: "hardlink",
    path: "usr/local/bin/alias",
    target: "usr/local/bin/tool",
    mode: 0o755,
    uid: 0,
    gid: 0,
  },
]);

test("a tar archive has these bytes", async () => {
  const tar = await collectBytes(writeTar(ENTRIES, { mtime: 1_000_000_000 }));
  expect([tar.byteLength, sha256(tar)]).toEqual([
    5039616,
    "378696d45b80268d5e097ef5595d48a7a434e90472c3e5554ee9034d49af0cd6",
  ]);
});

test("its gzip form at the default level has these bytes", async () => {
  const packed = await collectBytes(compressGzip(writeTar(ENTRIES, { mtime: 1_000_000_000 })));
  expect([packed.byteLength, sha256(packed)]).toEqual([
    1905705,
    "c1de3c89d53f0a1f95008397e2019d5c2a810402986a7bd6eb5be72ed15c10d4",
  ]);
});

test("its zstd form at the default level has these bytes", async () => {
  const packed = await collectBytes(compressZstd(writeTar(ENTRIES, { mtime: 1_000_000_000 })));
  expect([packed.byteLength, sha256(packed)]).toEqual([
    1693214,
    "478610768114ebb3d19af1ee80a283ee15012ee8b6979ac0d625d5dc5de6c5f4",
  ]);
});

test("the gzip form of nothing has these bytes", async () => {
  const packed = await collectBytes(compressGzip(streamOf(new Uint8Array(0))));
  expect(Buffer.from(packed).toString("hex")).toBe("1f8b08000000000000ff010000ffff0000000000000000");
});

/** Bytes that look a little like machine code: neither random nor repeated. */
function programOf(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = 1;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = at % 7 < 3 ? (state >>> 16) & 0x0f : (at >>> 8) & 0xff;
  }
  return bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
