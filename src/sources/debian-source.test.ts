// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createCleartextMessage, generateKey, readPrivateKey, sign } from "openpgp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DebianSourceDefinition, LockedPackage } from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import { lockDebianBase, readDebianPackages } from "./debian-archive.ts";
import { debianSource } from "./debian-source.ts";
import type { SourceContext } from "./tool-source.ts";

const now = new Date();
const definition: DebianSourceDefinition = { source: "debian", package: "kubectl" };
const tool = { name: "kubectl", binaries: ["kubectl"] };

/** Packages by suite and architecture, each `name version [field: value]...`. */
const archive = {
  "trixie/amd64": [
    "libc6 2.41 Essential: yes",
    "apt 3.0",
    "kubectl 1.32.3+ds-2+b5 Depends: libc6, libx",
    "libx 1",
  ],
  "trixie/arm64": ["libc6 2.41 Essential: yes", "apt 3.0", "kubectl 1.32.3+ds-2+b4 Depends: libc6"],
  "trixie-security/amd64": ["kubectl 1.32.9+ds-1"],
  "trixie-security/arm64": ["kubectl 2:1.32.9+ds-1+b1"],
};

let folder: string;
let context: SourceContext & { debianKeyring: string };
const files = new Map<string, Uint8Array>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "debian-source-"));
  const key = await generateKey({ userIDs: [{ name: "t" }], date: new Date(now.getTime() - 60_000) });
  await writeFile(join(folder, "key.asc"), key.publicKey);
  await publish("http://mirror.test/debian", "trixie", key.privateKey);
  await publish("http://mirror.test/debian-security", "trixie-security", key.privateKey);
  context = {
    debianKeyring: join(folder, "key.asc"),
    cacheDir: folder,
    workspaceDir: folder,
    now: () => now,
    platforms: ["linux/amd64", "linux/arm64"],
    host: { os: "linux", arch: "amd64" },
    env: {},
    toolchains: [],
    openBase: async () => ({ suite: "trixie", packages: {} }),
    mirrors: {
      addressesOf: async () => ["http://mirror.test/debian"],
      releaseAddress: (url) => url,
      goSettings: async () => ({}),
      npmSettings: async () => ({}),
    },
    fetchFile: async ({ url, name }) => {
      const bytes = files.get(url);
      if (bytes === undefined) throw new ToolingError("FILE_NOT_FOUND", `"${name}" is not there`);
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      await writeFile(join(folder, sha256), bytes);
      return { path: join(folder, sha256), sha256, size: bytes.byteLength, cached: false };
    },
  };
});
afterAll(async () => rm(folder, { recursive: true }));

describe("the Debian source", () => {
  test("lists the tool's own versions that all platforms have, from security updates too", async () => {
    expect(await debianSource.listVersions(definition, tool, context)).toEqual(["1.32.9", "1.32.3"]);
  });

  test("locks each platform by its own Debian version, without what the base has", async () => {
    const packages = { "linux/amd64": [locked("libc6", "2.41")], "linux/arm64": [locked("libc6", "2.41")] };
    const base = { suite: "trixie", packages };
    const { version, platforms } = await debianSource.lockTool(
      definition,
      tool,
      { range: "1.32.3" },
      { ...context, openBase: async () => base },
    );
    expect(version).toBe("1.32.3");
    expect(platforms).toMatchObject({
      "linux/amd64": {
        packages: [{ name: "kubectl", version: "1.32.3+ds-2+b5", suite: "trixie" }, { name: "libx" }],
      },
      "linux/arm64": { packages: [{ name: "kubectl", version: "1.32.3+ds-2+b4" }] },
    });
  });

  test("has nothing to add where the base holds the tool, whose version then is the base's", async () => {
    const own = locked("kubectl", "1.32.1-1");
    const base = { suite: "trixie", packages: { "linux/amd64": [own], "linux/arm64": [own] } };
    const inBase = { ...context, openBase: async () => base };
    expect(await debianSource.lockTool(definition, tool, { range: "latest" }, inBase)).toEqual({
      version: "1.32.1",
      platforms: {
        "linux/amd64": { source: "debian", packages: [] },
        "linux/arm64": { source: "debian", packages: [] },
      },
    });
  });

  test("locks the usual names of programs that Debian renamed", async () => {
    const aliases = { k: "kubectl" };
    const wish = { range: "latest" };
    const { platforms } = await debianSource.lockTool({ ...definition, aliases }, tool, wish, context);
    expect(platforms).toMatchObject({ "linux/amd64": { aliases }, "linux/arm64": { aliases } });
  });

  test("reads the version by the definition's pattern", async () => {
    const pattern = { ...definition, version: { pattern: "^(?:\\d+:)?(\\d+)\\." } };
    expect(await debianSource.listVersions(pattern, tool, context)).toEqual(["1"]);
  });

  test("says which versions there are, and that it needs a Debian base", async () => {
    await expect(debianSource.lockTool(definition, tool, { range: "^2" }, context)).rejects.toMatchObject({
      code: "VERSION_NOT_FOUND",
      hint: expect.stringContaining("1.32.3"),
    });
    const bare = { ...context, openBase: undefined };
    await expect(debianSource.listVersions(definition, tool, bare)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
    });
  });
});

test("a base holds the Essential packages, apt and the wishes, and repeats itself", async () => {
  const base = await lockDebianBase("trixie", ["libx"], { ...context, platforms: ["linux/amd64"] });
  expect(base["linux/amd64"]?.map(({ name }) => name)).toEqual(["apt", "libc6", "libx"]);
});

test("a package that has left the mirrors is named, with what to do", async () => {
  await expect(readDebianPackages([locked("kubectl", "1.0")], "linux/amd64", context)).rejects.toMatchObject({
    code: "FILE_NOT_FOUND",
    message: 'package "kubectl" 1.0 has left the Debian mirrors',
    hint: expect.stringContaining("toolbox update"),
  });
});

function locked(name: string, version: string): LockedPackage {
  return {
    name,
    version,
    architecture: "amd64",
    path: `pool/${name}.deb`,
    sha256: "0".repeat(64),
    size: 1,
    suite: "trixie",
  };
}

async function publish(address: string, suite: string, armoredKey: string): Promise<void> {
  const sums: string[] = [];
  for (const architecture of ["amd64", "arm64"] as const) {
    const stanzas = archive[`${suite}/${architecture}` as keyof typeof archive].map((text) => {
      const [, name, version, fields] = /^(\S+) (\S+) ?(.*)$/.exec(text) ?? [];
      return `Package: ${name}\nVersion: ${version}\nArchitecture: ${architecture}\n${fields}${fields === "" ? "" : "\n"}Filename: pool/${name}.deb\nSize: 1\nSHA256: ${"0".repeat(64)}\n`;
    });
    const index = gzipSync(stanzas.join("\n"));
    const path = `main/binary-${architecture}/Packages.gz`;
    files.set(`${address}/dists/${suite}/${path}`, index);
    sums.push(` ${createHash("sha256").update(index).digest("hex")} ${index.byteLength} ${path}`);
  }
  const date = new Date(now.getTime() - 3600_000).toUTCString().replace("GMT", "UTC");
  const text = `Codename: ${suite}\nDate: ${date}\nSHA256:\n${sums.join("\n")}`;
  const signed = await sign({
    message: await createCleartextMessage({ text }),
    signingKeys: await readPrivateKey({ armoredKey }),
    date: new Date(now.getTime() - 30_000),
  });
  files.set(`${address}/dists/${suite}/InRelease`, Buffer.from(signed));
}
