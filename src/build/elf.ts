// SPDX-License-Identifier: Apache-2.0
import type { Architecture } from "../core/platform.ts";

/**
 * The C library that a program was linked against: `none` for static programs and for what needs no libc,
 * `other` for a loader that neither glibc nor musl ships.
 */
export type Libc = "glibc" | "musl" | "none" | "other";

/** What the headers of an ELF file say (System V gABI, chapters 4 and 5). */
export interface ElfSummary {
  /** `amd64`, `arm64`, `bpf` (runs in the kernel of any CPU), or the words for something we do not build for. */
  readonly machine: string;
  /** Whether the operating system in the header is one that Linux runs. */
  readonly linux: boolean;
  /** The program interpreter (PT_INTERP). Absent for shared libraries and static programs. */
  readonly interpreter?: string;
  /** Libraries that a file without an interpreter asks for (DT_NEEDED), in file order. Empty for programs. */
  readonly needed: readonly string[];
  readonly libc: Libc;
}

/** Reads up to `length` bytes at `offset`; fewer when the file ends before. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

/** `"\x7fELF"`: the first four bytes of every ELF file. */
const ELF_MAGIC: Uint8Array = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46);

const MACHINES = new Map([
  [3, "386"],
  [21, "ppc64"],
  [22, "s390x"],
  [40, "arm"],
  [62, "amd64"],
  [183, "arm64"],
  [243, "riscv64"],
  [247, "bpf"],
  [258, "loong64"],
]);
const SYSTEM_V = 0;
const GNU_LINUX = 3;
const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;
/** No real file comes near; what claims more is broken, and is read no further. */
const MOST_TABLE_BYTES = 1 << 20;

/**
 * Reads the headers of an ELF file. Absent when `readRange` gives no ELF file at all. A file cut off or broken
 * further in still gives what its first bytes say: whether it can run is the loader's question.
 */
export async function readElf(readRange: ReadRange): Promise<ElfSummary | undefined> {
  const head = await readRange(0, 64);
  if (!startsWithElfMagic(head)) return undefined;
  const header = readHeader(head);
  if (header === undefined) return { machine: "unknown", linux: false, needed: [], libc: "none" };
  const { machine, linux } = header;
  if (header.segments === undefined) return { machine, linux, needed: [], libc: "none" };
  const segments = readSegments(await readRange(header.segments.offset, header.segments.length));
  const interpreter = await readInterpreter(segments, readRange);
  // The interpreter tells all; the tables of a large program stand far inside, and would be read for nothing.
  const needed = interpreter === undefined ? await readNeeded(segments, readRange) : [];
  const libc = nameLibc(interpreter, needed);
  return { machine, linux, needed, libc, ...(interpreter === undefined ? {} : { interpreter }) };
}

/** Whether these are the first bytes of an ELF file. */
export function startsWithElfMagic(bytes: Uint8Array): boolean {
  return ELF_MAGIC.every((byte, index) => bytes[index] === byte);
}

/** Whether an ELF file runs on that CPU under Linux. */
export function runsOn(elf: ElfSummary, architecture: Architecture): boolean {
  return elf.machine === "bpf" || (elf.linux && elf.machine === architecture);
}

interface ElfHeader {
  readonly machine: string;
  readonly linux: boolean;
  /** Where the program headers stand. Absent for object files, and for machines that no platform of ours has. */
  readonly segments?: { readonly offset: number; readonly length: number };
}

function readHeader(head: Uint8Array): ElfHeader | undefined {
  if (head.byteLength < 20) return undefined;
  const view = viewOf(head);
  const little = head[5] === 1;
  const wide = head[4] === 2;
  const machine = nameMachine(view.getUint16(18, little), wide, little);
  const linux = head[7] === SYSTEM_V || head[7] === GNU_LINUX;
  if (!wide || !little || head.byteLength < 64) return { machine, linux };
  const length = view.getUint16(54, true) * view.getUint16(56, true);
  if (length === 0 || view.getUint16(54, true) !== 56) return { machine, linux };
  return { machine, linux, segments: { offset: Number(view.getBigUint64(32, true)), length } };
}

/** aarch64_be and x32 share their machine number with CPUs that we build for. */
function nameMachine(number: number, wide: boolean, little: boolean): string {
  const name = MACHINES.get(number) ?? `machine ${number}`;
  if (!little) return `big-endian ${name}`;
  return wide || name === "386" || name === "arm" ? name : `32-bit ${name}`;
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function readSegments(table: Uint8Array): readonly Segment[] {
  const view = viewOf(table);
  const segments: Segment[] = [];
  for (let at = 0; at + 56 <= table.byteLength; at += 56) {
    segments.push({
      type: view.getUint32(at, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      address: Number(view.getBigUint64(at + 16, true)),
      size: Number(view.getBigUint64(at + 32, true)),
    });
  }
  return segments;
}

async function readInterpreter(
  segments: readonly Segment[],
  readRange: ReadRange,
): Promise<string | undefined> {
  const segment = segments.find(({ type }) => type === PT_INTERP);
  if (segment === undefined || segment.size > 4096) return undefined;
  return textAt(await readRange(segment.offset, segment.size), 0);
}

async function readNeeded(segments: readonly Segment[], readRange: ReadRange): Promise<readonly string[]> {
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined || dynamic.size > MOST_TABLE_BYTES) return [];
  const tags = readTags(await readRange(dynamic.offset, dynamic.size));
  const size = Math.min(Number(tags.find(([tag]) => tag === DT_STRSZ)?.[1] ?? 0n), MOST_TABLE_BYTES * 16);
  const offset = fileOffsetOf(Number(tags.find(([tag]) => tag === DT_STRTAB)?.[1] ?? 0n), segments);
  const names = tags.filter(([tag]) => tag === DT_NEEDED).map(([, at]) => Number(at));
  if (names.length === 0 || offset === undefined || size === 0) return [];
  const strings = await readRange(offset, size);
  return names.map((at) => textAt(strings, at));
}

type Tag = readonly [tag: bigint, value: bigint];

function readTags(table: Uint8Array): readonly Tag[] {
  const view = viewOf(table);
  const tags: Tag[] = [];
  for (let at = 0; at + 16 <= table.byteLength; at += 16) {
    const tag = view.getBigUint64(at, true);
    if (tag === 0n) break;
    tags.push([tag, view.getBigUint64(at + 8, true)]);
  }
  return tags;
}

function fileOffsetOf(address: number, segments: readonly Segment[]): number | undefined {
  const segment = segments.find(
    ({ type, address: start, size }) => type === PT_LOAD && address >= start && address < start + size,
  );
  return segment && segment.offset + (address - segment.address);
}

function nameLibc(interpreter: string | undefined, needed: readonly string[]): Libc {
  if (interpreter !== undefined) {
    if (interpreter.includes("/ld-musl-")) return "musl";
    return interpreter.includes("/ld-linux") ? "glibc" : "other";
  }
  if (needed.some((name) => name.startsWith("libc.musl-") || name === "libc.so")) return "musl";
  return needed.some((name) => name === "libc.so.6" || name.startsWith("ld-linux")) ? "glibc" : "none";
}

function textAt(bytes: Uint8Array, start: number): string {
  const end = bytes.indexOf(0, start);
  return new TextDecoder().decode(bytes.subarray(start, end === -1 ? bytes.byteLength : end));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
