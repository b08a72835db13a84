// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LockedPackage } from "../catalog/index.ts";
import { type ErrorCode, ToolingError } from "../core/error.ts";
import type { SourceContext } from "../sources/index.ts";
import { createLayerSources } from "./create-layer-sources.ts";
import type { LayerSources } from "./layer-sources.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-sources-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("a Debian package of a layer", () => {
  test("is asked of each mirror in turn, and said to have left them when all of them miss it", async () => {
    const asked: string[] = [];
    const sources = createSources(asked, "FILE_NOT_FOUND");
    await expect(sources.readBase([PACKAGE], "linux/amd64")).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: 'package "jq" 1.7-1 has left the Debian mirrors',
    });
    expect(asked).toEqual([
      "http://127.0.0.1:1/debian/pool/j/jq.deb",
      "http://127.0.0.1:2/pool/j/jq.deb",
      "http://127.0.0.1:1/debian-security/pool/j/jq.deb",
    ]);
    expect(await readdir(join(folder, "tmp"))).toEqual([]);
  });

  test("is not asked of another mirror when its content is wrong", async () => {
    const asked: string[] = [];
    const sources = createSources(asked, "CHECKSUM_MISMATCH");
    await expect(sources.readBase([PACKAGE], "linux/amd64")).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
    });
    expect(asked).toHaveLength(1);
  });

  test("has its programs under their usual names as well", async () => {
    const sources = createSources([], "FILE_NOT_FOUND");
    const locked = { source: "debian", packages: [], aliases: { fd: "fdfind", bat: "batcat" } } as const;
    const { entries } = await sources.readTool(locked, "linux/amd64");
    const links = entries.filter((entry) => entry.type === "symlink");
    expect(links.map(({ path, target }) => [path, target])).toEqual([
      ["usr/local/bin/bat", "/usr/bin/batcat"],
      ["usr/local/bin/fd", "/usr/bin/fdfind"],
    ]);
  });
});

const PACKAGE: LockedPackage = {
  name: "jq",
  version: "1.7-1",
  architecture: "amd64",
  path: "pool/j/jq.deb",
  sha256: "0".repeat(64),
  size: 1,
};

function createSources(asked: string[], code: ErrorCode): LayerSources {
  const context: SourceContext = {
    fetchFile: async ({ url }) => {
      asked.push(url);
      throw new ToolingError(code, "not this one");
    },
    cacheDir: folder,
    mirrors: {
      addressesOf: async () => ["http://127.0.0.1:1/debian", "http://127.0.0.1:2"],
      goSettings: unused,
      npmSettings: unused,
      releaseAddress: (url) => url,
    },
    platforms: ["linux/amd64"],
    host: { os: "linux", arch: "amd64" },
    env: {},
    toolchains: [],
    now: () => new Date(0),
    workspaceDir: folder,
  };
  return createLayerSources({ context, sourceOf: unused, openImage: unused });
}

function unused(): never {
  throw new TypeError("not needed for Debian packages");
}
