// SPDX-License-Identifier: Apache-2.0
import { createHmac, randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import bcrypt from "bcryptjs";
import { ToolingError } from "../../core/error.ts";

/** Milliseconds that a password which was right is not computed again. */
const MEMORY = 5 * 60_000;
/** Milliseconds between looks at the file. */
const RELOAD_STEP = 1000;
/** Passwords computed at the same time: each costs a tenth of a second of the only thread. */
const MOST_AT_ONCE = 4;
/** Compared when there is no such user, so that the time taken does not tell. */
const NOBODY = "$2b$10$abcdefghijklmnopqrstuuF1kSBSMDIr/TH/SnCRSBDtKMcRtrVyy";

/** Checks names and passwords against a file that `htpasswd -B` writes. A changed file is noticed. */
export class Htpasswd {
  readonly #path: string;
  readonly #key = randomBytes(32);
  readonly #remembered = new Map<string, number>();
  #hashes: ReadonlyMap<string, string> = new Map();
  #version = "";
  #lookedAt = Number.NEGATIVE_INFINITY;
  #atOnce = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws {ToolingError} `CREDENTIALS_INVALID`, `FILE_UNREADABLE` */
  async load(): Promise<void> {
    const { mtimeMs, size } = await readStatus(this.#path);
    const version = `${mtimeMs} ${size}`;
    this.#lookedAt = performance.now();
    if (version === this.#version) return;
    this.#hashes = parseHtpasswd(await readFile(this.#path, "utf8"), this.#path);
    this.#version = version;
    this.#remembered.clear();
  }

  /** @returns the name of the user, `undefined` when the header proves none, `"busy"` when too many ask at once */
  async authenticate(header: string | undefined): Promise<{ readonly user: string } | "busy" | undefined> {
    const credentials = parseBasic(header);
    if (credentials === undefined) return undefined;
    if (performance.now() - this.#lookedAt > RELOAD_STEP) await this.load();
    const { user, password } = credentials;
    const hash = this.#hashes.get(user) ?? NOBODY;
    // Kept under a key of this process: memory that leaks does not give the passwords away.
    const memory = createHmac("sha256", this.#key).update(`${hash}\n${user}\n${password}`).digest("base64");
    if ((this.#remembered.get(memory) ?? 0) > performance.now()) return { user };
    if (this.#atOnce >= MOST_AT_ONCE) return "busy";
    if (!(await this.#compare(password, hash)) || !this.#hashes.has(user)) return undefined;
    this.#remembered.set(memory, performance.now() + MEMORY);
    return { user };
  }

  async #compare(password: string, hash: string): Promise<boolean> {
    this.#atOnce += 1;
    try {
      return await bcrypt.compare(password, hash);
    } finally {
      this.#atOnce -= 1;
    }
  }
}

function parseBasic(header: string | undefined): { user: string; password: string } | undefined {
  const match = /^basic +([A-Za-z0-9+/_=-]{1,8192})$/i.exec(header ?? "");
  const text = Buffer.from(match?.[1] ?? "", "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon <= 0) return undefined;
  const password = text.slice(colon + 1);
  // bcrypt reads 72 bytes: a longer password would match any other with the same start.
  if (Buffer.byteLength(password) > 72) return undefined;
  return { user: text.slice(0, colon), password };
}

/** @throws {ToolingError} `CREDENTIALS_INVALID` */
function parseHtpasswd(text: string, path: string): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const hash = line.slice(colon + 1).trim();
    if (colon <= 0 || !/^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/.test(hash)) {
      throw new ToolingError("CREDENTIALS_INVALID", `"${path}" has a line that is not NAME:BCRYPT`, {
        hint: 'Make each line with "htpasswd -B".',
        position: { file: path, line: index + 1, column: 1 },
      });
    }
    hashes.set(line.slice(0, colon), hash);
  }
  return hashes;
}

async function readStatus(path: string): Promise<{ mtimeMs: number; size: number }> {
  try {
    return await stat(path);
  } catch (error) {
    throw new ToolingError("FILE_UNREADABLE", `password file "${path}" cannot be read`, {
      hint: "Check the path and its permissions.",
      cause: error,
    });
  }
}
