// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { streamOf } from "../core/byte-stream.ts";
import { lentBytes } from "../../test/support/lent-bytes.ts";
import { readElf, runsOn } from "./elf.ts";
import { ElfProbe } from "./elf-probe.ts";

describe("readElf", () => {
  test.each([
    ["a static program", elfFile({ machine: 62 }), { machine: "amd64", libc: "none" }],
    [
      "a glibc program",
      elfFile({ machine: 183, interpreter: "/lib/ld-linux-aarch64.so.1" }),
      { machine: "arm64", libc: "glibc" },
    ],
    [
      "a musl program",
      elfFile({ machine: 62, interpreter: "/lib/ld-musl-x86_64.so.1" }),
      { machine: "amd64", libc: "musl" },
    ],
    [
      "a program of another loader",
      elfFile({ machine: 62, interpreter: "/system/bin/linker64" }),
      { libc: "other" },
    ],
    [
      "a glibc library",
      elfFile({ machine: 62, needed: ["libz.so.1", "libc.so.6"] }),
      { libc: "glibc", needed: ["libz.so.1", "libc.so.6"] },
    ],
    ["a musl library", elfFile({ machine: 62, needed: ["libc.musl-x86_64.so.1"] }), { libc: "musl" }],
    ["a program for FreeBSD", elfFile({ machine: 62, osabi: 9 }), { linux: false }],
    ["an unknown CPU", elfFile({ machine: 9999 }), { machine: "machine 9999" }],
    ["a file cut off in its header", elfFile({ machine: 62 }).slice(0, 10), { machine: "unknown" }],
    [
      "a file cut off after its header",
      elfFile({ machine: 62, interpreter: "/x" }).slice(0, 64),
      { machine: "amd64" },
    ],
  ])("reads %s", async (_, bytes, expected) => {
    expect(await readElf(rangesOf(bytes))).toMatchObject(expected);
  });

  test("tells a script from a program", async () => {
    expect(await readElf(rangesOf(new TextEncoder().encode("#!/bin/sh\n")))).toBeUndefined();
    expect(await readElf(rangesOf(new Uint8Array()))).toBeUndefined();
  });

  test("ends on any bytes that start like an ELF file", async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (tail) => {
      const whole = elfFile({ machine: 62, needed: ["libc.so.6"] });
      whole.set(tail.subarray(0, whole.byteLength - 20), 20);
      expect(await readElf(rangesOf(whole))).toHaveProperty("machine");
    });
    await fc.assert(property, { numRuns: 300 });
  });

  test("agrees with the node binary that runs this test", async () => {
    const bytes = await readFile(process.execPath);
    const architecture = process.arch === "arm64" ? "arm64" : "amd64";
    const elf = process.platform === "linux" ? await readElf(rangesOf(bytes)) : undefined;
    if (elf !== undefined)
      expect([runsOn(elf, architecture), elf.libc]).toEqual([true, expect.stringMatching(/glibc|musl/)]);
    expect(elf === undefined).toBe(process.platform !== "linux");
  });
});

describe("runsOn", () => {
  test.each([
    [62, "amd64", true],
    [62, "arm64", false],
    [183, "arm64", true],
    [3, "amd64", false],
    [247, "arm64", true],
  ] as const)("machine %d on %s is %s", async (machine, architecture, expected) => {
    const elf = await readElf(rangesOf(elfFile({ machine })));
    expect(elf && runsOn(elf, architecture)).toBe(expected);
  });

  test("refuses the other byte order and the other word size of a CPU that we build for", async () => {
    for (const change of [{ class: 1 }, { order: 2 }]) {
      const elf = await readElf(rangesOf(elfFile({ machine: 183, ...change })));
      expect(elf && runsOn(elf, "arm64")).toBe(false);
    }
  });
});

describe("ElfProbe", () => {
  test.each([1, 7, 64, 100_000])("reads a program that comes in chunks of %d bytes", async (size) => {
    const bytes = elfFile({ machine: 62, interpreter: "/lib64/ld-linux-x86-64.so.2" });
    const probe = new ElfProbe(() => streamOf(bytes));
    for await (const chunk of lentBytes(bytes, size)) probe.update(chunk);
    expect(await probe.finish()).toMatchObject({ machine: "amd64", libc: "glibc" });
  });

  test("opens a large library again for the tables at its end", async () => {
    const bytes = elfFile({ machine: 183, needed: ["libc.musl-aarch64.so.1"], padding: 9 << 20 });
    let opened = 0;
    const probe = new ElfProbe(() => {
      opened += 1;
      return streamOf(bytes);
    });
    for (let at = 0; at < bytes.byteLength; at += 1 << 20) probe.update(bytes.slice(at, at + (1 << 20)));
    expect(await probe.finish()).toMatchObject({ machine: "arm64", libc: "musl" });
    expect(opened).toBe(2);
  });

  test("keeps quiet about what is no ELF file", async () => {
    const probe = new ElfProbe(() => streamOf(new Uint8Array()));
    probe.update(new TextEncoder().encode("#!"));
    probe.update(new TextEncoder().encode("/bin/sh\n"));
    expect(await probe.finish()).toBeUndefined();
  });
});

function rangesOf(bytes: Uint8Array): (offset: number, length: number) => Promise<Uint8Array> {
  return async (offset, length) => bytes.subarray(offset, offset + length);
}

/** What to put into a made-up ELF file. */
interface ElfFileParts {
  /** `e_machine`: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  readonly interpreter?: string;
  readonly needed?: readonly string[];
  readonly osabi?: number;
  /** `EI_CLASS`; absent: 2 (64 bits). */
  readonly class?: number;
  /** `EI_DATA`; absent: 1 (little endian). */
  readonly order?: number;
  /** Zero bytes between the program headers and the tables. */
  readonly padding?: number;
}

/** The headers of an ELF file with nothing to run behind them, for tests. */
function elfFile(parts: ElfFileParts): Uint8Array<ArrayBuffer> {
  const { machine, needed = [], padding = 0 } = parts;
  const strings = Buffer.from(`\0${needed.map((name) => `${name}\0`).join("")}`);
  const offset = 64 + 3 * 56 + padding;
  const dynamic = needed.length === 0 ? 0 : (needed.length + 3) * 16;
  const path = Buffer.from(parts.interpreter === undefined ? "" : `${parts.interpreter}\0`);
  const bytes = new Uint8Array(offset + strings.byteLength + dynamic + path.byteLength);
  const view = new DataView(bytes.buffer);
  const little = (parts.order ?? 1) === 1;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, parts.class ?? 2, parts.order ?? 1, 1, parts.osabi ?? 0]);
  view.setUint16(18, machine, little);
  view.setBigUint64(32, 64n, little);
  view.setUint16(54, 56, little);
  view.setUint16(56, 3, little);
  const segment = (index: number, type: number, start: number, size: number): void => {
    const at = 64 + index * 56;
    view.setUint32(at, type, little);
    view.setBigUint64(at + 8, BigInt(start), little);
    view.setBigUint64(at + 16, BigInt(0x400000 + start), little);
    view.setBigUint64(at + 32, BigInt(size), little);
  };
  segment(0, 1, 0, bytes.byteLength);
  segment(1, dynamic === 0 ? 0 : 2, offset + strings.byteLength, dynamic);
  segment(2, path.byteLength === 0 ? 0 : 3, offset + strings.byteLength + dynamic, path.byteLength);
  bytes.set(strings, offset);
  bytes.set(path, offset + strings.byteLength + dynamic);
  if (dynamic > 0) writeDynamic(view, offset, strings, needed);
  return bytes;
}

function writeDynamic(view: DataView, offset: number, strings: Buffer, needed: readonly string[]): void {
  let at = offset + strings.byteLength;
  const tag = (name: number, value: number): void => {
    view.setBigUint64(at, BigInt(name), true);
    view.setBigUint64(at + 8, BigInt(value), true);
    at += 16;
  };
  let name = 1;
  for (const library of needed) {
    tag(1, name);
    name += library.length + 1;
  }
  tag(5, 0x400000 + offset);
  tag(10, strings.byteLength);
  tag(0, 0);
}
