// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createCleartextMessage, generateKey, readPrivateKey, sign } from "openpgp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ToolingError } from "../core/error.ts";
import type { ProgressEvent } from "../core/operation.ts";
import { type DebianMirror, fetchPackageIndex, listSuites } from "./fetch-package-index.ts";
import { type Keyring, openKeyring } from "./signed-release.ts";

const now = new Date();

let folder: string;
let keyring: Keyring;
let privateKey: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mirror-"));
  const key = await generateKey({ userIDs: [{ name: "t" }], date: new Date(now.getTime() - 60_000) });
  privateKey = key.privateKey;
  await writeFile(join(folder, "key.asc"), key.publicKey);
  keyring = await openKeyring({ path: join(folder, "key.asc") });
});
afterAll(async () => rm(folder, { recursive: true }));

describe("fetchPackageIndex", () => {
  test("joins suites from different mirrors, and notes one that is nowhere", async () => {
    const events: ProgressEvent[] = [];
    const index = await fetchPackageIndex("amd64", {
      mirrors: [await mirrorOf("trixie", "1.0"), await mirrorOf("trixie-security", "1.0+deb13u1")],
      suites: listSuites("trixie"),
      keyring,
      now,
      onProgress: (event) => events.push(event),
    });
    expect(index.records.get("tool")?.map(({ version, suite }) => [version, suite])).toEqual([
      ["1.0+deb13u1", "trixie-security"],
      ["1.0", "trixie"],
    ]);
    expect(events).toMatchObject([{ type: "noted", what: "debian trixie-updates" }]);
  });

  test("asks by digest first, and by name where the mirror has no digests", async () => {
    const asked: string[] = [];
    await read([await mirrorOf("trixie", "1", { asked })]);
    expect(asked).toEqual(["dists/trixie/InRelease", expect.stringContaining("/by-hash/SHA256/")]);
    asked.length = 0;
    await read([await mirrorOf("trixie", "1", { asked, lacks: "by-hash" })]);
    expect(asked.at(-1)).toBe("dists/trixie/main/binary-amd64/Packages.gz");
  });

  test("names what it asks for in words that progress can show", async () => {
    const named: (string | undefined)[] = [];
    const mirror = await mirrorOf("trixie", "1");
    const listening: DebianMirror = {
      fetchFile: async (file, options) => {
        named.push(file.name);
        return await mirror.fetchFile(file, options);
      },
    };
    await read([listening]);
    expect(named).toEqual(["Debian trixie release", "Debian trixie amd64 index"]);
  });

  test("says that no mirror has the suite, and that the suite lacks the architecture", async () => {
    await expect(read([await mirrorOf("forky", "1")])).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(read([await mirrorOf("trixie", "1")], "riscv64")).rejects.toMatchObject({
      code: "PLATFORM_UNAVAILABLE",
    });
  });

  test("goes on to the next mirror when one is down, and says so when there is no other", async () => {
    const down: DebianMirror = {
      fetchFile: async () => {
        throw new ToolingError("NETWORK_UNREACHABLE", "the mirror is down");
      },
    };
    await read([down, await mirrorOf("trixie", "1")]);
    await expect(read([down, await mirrorOf("forky", "1")])).rejects.toThrow("the mirror is down");
  });

  test("does not fall through to the next mirror when a signature is wrong", async () => {
    const forged = await mirrorOf("trixie", "1", { forge: true });
    await expect(read([forged, await mirrorOf("trixie", "1")])).rejects.toMatchObject({
      code: "DEBIAN_SIGNATURE_INVALID",
    });
  });
});

test.each([
  ["trixie", ["trixie", "trixie-updates", "trixie-security"]],
  ["sid", ["sid"]],
  ["trixie-backports", ["trixie-backports"]],
])("the suites of %s are %j", (suite, names) => {
  expect(listSuites(suite).map(({ name }) => name)).toEqual(names);
});

async function read(mirrors: readonly DebianMirror[], architecture = "amd64"): Promise<void> {
  await fetchPackageIndex(architecture, {
    mirrors,
    suites: [{ name: "trixie", required: true }],
    keyring,
    now,
  });
}

interface MirrorOptions {
  readonly asked?: string[];
  readonly lacks?: string;
  readonly forge?: boolean;
}

/** A mirror of one suite that holds one package. */
async function mirrorOf(
  suite: string,
  version: string,
  { asked = [], lacks, forge = false }: MirrorOptions = {},
): Promise<DebianMirror> {
  const packages = `Package: tool\nVersion: ${version}\nArchitecture: amd64\nFilename: pool/tool.deb\nSize: 3\nSHA256: ${"0".repeat(64)}\n`;
  const index = gzipSync(packages);
  const sum = createHash("sha256").update(index).digest("hex");
  const date = new Date(now.getTime() - 3600_000).toUTCString().replace("GMT", "UTC");
  const text = `Codename: ${suite}\nDate: ${date}\nAcquire-By-Hash: yes\nSHA256:\n ${sum} ${index.length} main/binary-amd64/Packages.gz`;
  const message = await createCleartextMessage({ text });
  const signed = await sign({
    message,
    signingKeys: await readPrivateKey({ armoredKey: privateKey }),
    date: new Date(now.getTime() - 30_000),
  });
  const files: Record<string, string | Uint8Array> = {
    [`dists/${suite}/InRelease`]: forge
      ? signed.replace("Acquire-By-Hash: yes", "Acquire-By-Hash: no ")
      : signed,
    [`dists/${suite}/main/binary-amd64/Packages.gz`]: index,
    [`dists/${suite}/main/binary-amd64/by-hash/SHA256/${sum}`]: index,
  };
  return {
    fetchFile: async ({ path }) => {
      asked.push(path);
      const content = lacks !== undefined && path.includes(lacks) ? undefined : files[path];
      if (content === undefined) throw new ToolingError("FILE_NOT_FOUND", `"${path}" is not there`);
      const file = join(folder, createHash("sha256").update(content).digest("hex"));
      await writeFile(file, content);
      return file;
    },
  };
}
