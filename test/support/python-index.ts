// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { crc32 } from "node:zlib";
import { closeServer, pourEndlessly } from "./loopback-server.ts";

/** A file of a wheel: text, or bytes with a mode. */
export type WheelFile = string | { readonly content: string | Uint8Array; readonly mode: number };

/** Optional parts of {@link makeWheel}. */
export interface MakeWheelOptions {
  /** Lines of METADATA after name and version. Absent: none. */
  readonly metadata?: readonly string[];
  /** `console_scripts`, such as `hello = hello:main`. Absent: no entry points. */
  readonly scripts?: readonly string[];
  /** More files, which RECORD lists too. */
  readonly files?: Readonly<Record<string, WheelFile>>;
  /** Changes the files after RECORD was written. */
  readonly tamper?: (files: Map<string, WheelFile>) => void;
}

/** A pure wheel of a project, as a build backend writes it. */
export function makeWheel(project: string, version: string, options: MakeWheelOptions = {}): Buffer {
  const info = `${project}-${version}.dist-info`;
  const metadata = [
    "Metadata-Version: 2.1",
    `Name: ${project}`,
    `Version: ${version}`,
    ...(options.metadata ?? []),
  ];
  const files = new Map<string, WheelFile>([
    [`${project}/__init__.py`, `def main():\n    print("${project} ${version}")\n`],
    ...Object.entries(options.files ?? {}),
    [`${info}/METADATA`, `${metadata.join("\n")}\n`],
    [`${info}/WHEEL`, "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"],
  ]);
  if (options.scripts !== undefined) {
    files.set(`${info}/entry_points.txt`, `[console_scripts]\n${options.scripts.join("\n")}\n`);
  }
  const record = [...files].map(([path, file]) => {
    const bytes = bytesOf(file);
    return `${path},sha256=${createHash("sha256").update(bytes).digest("base64url")},${bytes.byteLength}`;
  });
  files.set(`${info}/RECORD`, `${[...record, `${info}/RECORD,,`].join("\n")}\n`);
  options.tamper?.(files);
  return packZip(files);
}

function bytesOf(file: WheelFile): Buffer {
  return Buffer.from(typeof file === "object" ? file.content : file);
}

/** A zip archive without compression; names go in as they are, bad ones too. */
function packZip(files: ReadonlyMap<string, WheelFile>): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const [path, file] of files) {
    const [name, bytes] = [Buffer.from(path), bytesOf(file)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800, 2);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.byteLength, 14);
    common.writeUInt32LE(bytes.byteLength, 18);
    common.writeUInt16LE(name.byteLength, 22);
    locals.push(Buffer.from("PK\x03\x04", "latin1"), common, name, bytes);
    const more = Buffer.alloc(14);
    more.writeUInt32LE(((0o100000 | (typeof file === "object" ? file.mode : 0o644)) << 16) >>> 0, 6);
    more.writeUInt32LE(offset, 10);
    centrals.push(Buffer.from([0x50, 0x4b, 1, 2, 20, 3]), common, more, name);
    offset += 30 + name.byteLength + bytes.byteLength;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(directory.byteLength, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

/** A Python index on this machine. */
export interface PythonIndex {
  /** What `index-url` would be. */
  readonly url: string;
  /** Files by name; pages list them with the digest of what stands here. */
  readonly files: Map<string, Buffer>;
  /** What is really sent instead, by name. */
  readonly lies: Map<string, Buffer | "endless">;
  /** Attributes that the page has for a file, such as `data-yanked=""`, by name. */
  readonly attributes: Map<string, string>;
  /** Paths that were asked for. */
  readonly asked: string[];
  readonly close: () => Promise<void>;
}

/** Starts an index that answers with HTML pages (PEP 503), on a port that the kernel chooses. */
export async function startPythonIndex(): Promise<PythonIndex> {
  const state = {
    files: new Map<string, Buffer>(),
    lies: new Map<string, Buffer | "endless">(),
    attributes: new Map<string, string>(),
    asked: [] as string[],
  };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "/");
    state.asked.push(path);
    answer(path, response, state);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
  return Object.assign(state, { url, close: async () => closeServer(server) });
}

type IndexState = Pick<PythonIndex, "files" | "lies" | "attributes">;

function answer(path: string, response: ServerResponse, { files, lies, attributes }: IndexState): void {
  const project = /^\/simple\/([a-z0-9-]+)\/$/.exec(path)?.[1];
  if (project !== undefined) {
    const names = [...files.keys()].filter((name) => name.startsWith(`${project.replaceAll("-", "_")}-`));
    if (names.length === 0) return void response.writeHead(404).end();
    const links = names.map((name) => {
      const sha256 = createHash("sha256")
        .update(files.get(name) ?? "")
        .digest("hex");
      return `<a href="../../files/${name}#sha256=${sha256}" ${attributes.get(name) ?? ""}>${name}</a>\n`;
    });
    return void response
      .writeHead(200, { "content-type": "text/html" })
      .end(`<!DOCTYPE html>\n${links.join("")}`);
  }
  const name = path.slice(path.lastIndexOf("/") + 1);
  const content = lies.get(name) ?? files.get(name);
  if (content === undefined) return void response.writeHead(404).end();
  if (content !== "endless") return void response.end(content);
  pourEndlessly(response);
}
