// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { readZip } from "../archive/index.ts";
import type { LendingGenerator, LentBytes } from "../core/byte-stream.ts";
import { ToolingError } from "../core/error.ts";
import { writeFileContent } from "../core/file-content.ts";
import { makeFolder } from "../core/make-folder.ts";

/** How to unpack the zip file of a Go module. */
export interface UnpackModuleOptions {
  /** What every path in it begins with, `MODULE@VERSION/`. */
  readonly prefix: string;
  /** Expected hash of the tree, `h1:...`. */
  readonly sum: string;
  /** What people call it. */
  readonly what: string;
  /** Path to write a file at, relative. Absent: its own. */
  readonly rename?: ((path: string) => string) | undefined;
  /** Whether a file gets execute bits. Absent: none does. */
  readonly isExecutable?: ((path: string) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const LIMITS = { entries: 100_000, size: 2 * 1024 ** 3 };

/**
 * Unpacks a module's zip into the empty folder `folder`, hashing on the way. The folder must not be used before
 * the returned promise resolves.
 *
 * @throws {ToolingError} `CHECKSUM_MISMATCH`, `ARCHIVE_INVALID`, `ARCHIVE_UNSAFE`, `ARCHIVE_LIMIT_EXCEEDED`
 */
export async function unpackModule(zip: string, folder: string, options: UnpackModuleOptions): Promise<void> {
  const { prefix, sum, what, signal, rename = (path) => path, isExecutable = () => false } = options;
  const digests = new Map<string, string>();
  for await (const { path: name, type, content } of readZip(zip, { limits: LIMITS, signal })) {
    if (type === "directory") continue;
    if (type !== "file" || !name.startsWith(prefix)) throw notModule(what, name);
    const path = rename(name.slice(prefix.length));
    const target = join(folder, path);
    await makeFolder(dirname(target));
    const hash = createHash("sha256");
    const mode = isExecutable(path) ? 0o755 : 0o644;
    await writeFileContent(target, hashing(content, hash), { mode, signal });
    digests.set(name, hash.digest("hex"));
  }
  const found = hashTree(digests);
  if (found === sum) return;
  throw new ToolingError("CHECKSUM_MISMATCH", `"${what}" has hash "${found}" where "${sum}" is expected`, {
    hint: "The Go proxy serves other bytes than those that are pinned: find out why before you use it.",
  });
}

/** Hash `h1:` of a tree, from its files' SHA-256 digests in hex by path (golang.org/x/mod/sumdb/dirhash, Hash1). */
export function hashTree(digests: ReadonlyMap<string, string>): string {
  const names = [...digests.keys()].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const hash = createHash("sha256");
  for (const name of names) hash.update(`${digests.get(name)}  ${name}\n`);
  return `h1:${hash.digest("base64")}`;
}

async function* hashing(content: LentBytes, hash: { update(data: Uint8Array): unknown }): LendingGenerator {
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
}

function notModule(what: string, name: string): ToolingError {
  return new ToolingError("ARCHIVE_UNSAFE", `"${what}" holds "${name}", which no module does`, {
    hint: "Check the Go proxy.",
  });
}
