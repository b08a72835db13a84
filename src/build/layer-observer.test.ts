// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { lentBytes } from "../../test/support/lent-bytes.ts";
import { fileEntryOf } from "../archive/index.ts";
import { collectBytes } from "../core/byte-stream.ts";
import { LayerObserver } from "./layer-observer.ts";

test("what is captured of a file stays, though its content was only lent", async () => {
  const observer = new LayerObserver({
    platform: "linux/amd64",
    ownerOf: () => "the base",
    capture: (path) => path === "etc/passwd",
  });
  const text = "root:x:0:0:root:/root:/bin/bash\n";
  const entry = { ...fileEntryOf("etc/passwd", text), open: () => lentBytes(Buffer.from(text), 5) };
  for (const observed of observer.observe([entry])) {
    if (observed.type === "file") await collectBytes(observed.open());
  }
  expect(observer.finish().captured["etc/passwd"]).toEqual({ mode: 0o644, uid: 0, gid: 0, text });
});

test("a digest that a file's source vouches for is not taken again", async () => {
  const observer = new LayerObserver({ platform: "linux/amd64", ownerOf: () => 'tool "tree"' });
  const sha256 = "5e".repeat(32);
  const entry = { ...fileEntryOf("usr/local/bin/tree", "#!/bin/sh\n"), sha256 };
  for (const observed of observer.observe([entry])) {
    if (observed.type === "file") await collectBytes(observed.open());
  }
  expect(observer.finish().files).toEqual({ "usr/local/bin/tree": `file:${sha256}` });
});
