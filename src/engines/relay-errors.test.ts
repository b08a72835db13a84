// SPDX-License-Identifier: Apache-2.0
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { LOST_READER, LOST_READER_LINES, mayBeLeftBehind } from "./client-output.ts";
import { relayErrors } from "./relay-errors.ts";

async function relay(...chunks: readonly (string | Buffer)[]): Promise<{ shown: Buffer; kept: string }> {
  const target = new PassThrough();
  const shown = buffer(target);
  const kept = await relayErrors(
    Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
    target,
    LOST_READER_LINES,
  );
  target.end();
  return { shown: await shown, kept };
}

describe("what a client says when nobody reads", () => {
  const docker = "write /dev/stdout: broken pipe\n";
  const podman = "Error: attaching to container 2071c38f: write /dev/stdout: broken pipe\n";

  test.each([docker, podman, "write /dev/stdout: connection reset by peer\n"])(
    "%j is kept back",
    async (line) => {
      expect(await relay(line)).toEqual({ shown: Buffer.from(""), kept: line });
      expect(await relay(`warning\nmore\n${line}`)).toEqual({
        shown: Buffer.from("warning\nmore\n"),
        kept: line,
      });
    },
  );

  const waited =
    'time="2026-11-23T02:26:21Z" level=error msg="error waiting for container: context canceled"\n';

  test.each([[waited, docker], [docker, waited], [`${waited}${docker}`]])(
    "is kept back with what docker 20.10 adds to it: %j %j",
    async (...lines) => {
      expect(await relay("warning\n", ...lines)).toEqual({
        shown: Buffer.from("warning\n"),
        kept: lines.join(""),
      });
      expect(LOST_READER.test(lines.join(""))).toBe(true);
    },
  );

  test("is not what docker 20.10 adds to other things", async () => {
    expect(await relay("read: reset\n", waited)).toEqual({
      shown: Buffer.from("read: reset\n"),
      kept: waited,
    });
    expect(LOST_READER.test(waited)).toBe(false);
  });

  test("is shown when the command has more to say", async () => {
    const { shown, kept } = await relay("a\n", docker, "b\n");
    expect([shown.toString(), kept]).toEqual([`a\n${docker}b\n`, ""]);
  });

  test("is nothing else: other bytes come out as they went in", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    expect((await relay(bytes, bytes)).shown).toEqual(Buffer.concat([bytes, bytes]));
    expect((await relay("write /dev/stdout: broken pipe")).kept).toBe("");
    expect((await relay("write /dev/stdout: broken pipe\nlater")).kept).toBe("");
  });
});

test("without its words, a client is suspected only where it cannot be heard", () => {
  expect(mayBeLeftBehind("steady", 141)).toBe(false);
  expect(mayBeLeftBehind("pipe", 141)).toBe(true);
  expect(mayBeLeftBehind("pipe", 1)).toBe(false);
  expect(mayBeLeftBehind("shared-pipe", 1)).toBe(true);
  expect(mayBeLeftBehind("shared-pipe", 0)).toBe(false);
});
