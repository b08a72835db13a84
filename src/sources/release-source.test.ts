// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { compressGzip, fileEntryOf, sortEntries, writeTar } from "../archive/index.ts";
import type { ReleaseSourceDefinition } from "../catalog/index.ts";
import { collectBytes } from "../core/byte-stream.ts";
import { createHttpDispatcher } from "../core/http-dispatcher.ts";
import { createFetcher } from "./fetcher.ts";
import { createMirrors } from "./mirrors.ts";
import { parseChecksums, parseReleaseVersions } from "./release-document.ts";
import { releaseSource } from "./release-source.ts";
import type { SourceContext } from "./tool-source.ts";

const UPSTREAM = "https://up.example/";
const TOOL = { name: "greet", binaries: ["greet"] };
const DEFINITION: ReleaseSourceDefinition = {
  source: "release",
  url: `${UPSTREAM}v{{version}}/greet-{{os}}-{{arch}}.tar.gz`,
  architectures: { amd64: "x86_64", arm64: "aarch64" },
  checksums: { url: `${UPSTREAM}v{{version}}/sums.txt` },
  binaries: { greet: "greet-{{version}}/bin/greet" },
  versions: { url: `${UPSTREAM}releases`, format: "github" },
};

let cacheDir: string;
let server: Server;
let pages: Map<string, Uint8Array | string>;
let context: SourceContext;

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "release-"));
  pages = new Map();
  // As the large hosts do it: the address of a file redirects to where the bytes are.
  server = createServer((request, response) => {
    const path = request.url ?? "/";
    const page = pages.get(path.replace(/^\/bytes/, ""));
    if (page === undefined) response.writeHead(404).end();
    else if (path.endsWith(".tar.gz") && !path.startsWith("/bytes/"))
      response.writeHead(302, { location: `/bytes${path}` }).end();
    else response.end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  context = {
    cacheDir,
    fetchFile: createFetcher({
      cacheDir,
      dispatcher: createHttpDispatcher(),
      now: () => new Date(),
      longestDelay: 1,
    }),
    mirrors: createMirrors({ wishes: { release: { [UPSTREAM]: base } }, env: {}, clients: {} }),
    platforms: ["linux/amd64", "linux/arm64"],
    host: { os: "linux", arch: "amd64" },
    env: {},
    toolchains: [],
    now: () => new Date(),
    workspaceDir: cacheDir,
  };
  pages.set(
    "/releases",
    JSON.stringify([
      { tag_name: "v2.0.0-rc.1", prerelease: true },
      { tag_name: "v1.3.0", draft: true },
      { tag_name: "v1.2.3" },
      { tag_name: "v1.2.0" },
    ]),
  );
  await publish("1.2.3");
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(cacheDir, { recursive: true, force: true });
});

describe("a release", () => {
  test("is locked by the project's own address, with digest and size per platform", async () => {
    const { version, platforms } = await releaseSource.lockTool(DEFINITION, TOOL, { range: "^1.2" }, context);
    expect(version).toBe("1.2.3");
    const archive = pages.get("/v1.2.3/greet-linux-aarch64.tar.gz") ?? "";
    expect(platforms["linux/arm64"]).toEqual({
      source: "release",
      url: `${UPSTREAM}v1.2.3/greet-linux-aarch64.tar.gz`,
      file: { name: "greet-linux-aarch64.tar.gz", sha256: sha256(archive), size: archive.length },
      archive: "tar.gz",
      binaries: { greet: "greet-1.2.3/bin/greet" },
    });
  });

  test("gives its program as an image holds it, also when upstream is gone", async () => {
    const { platforms } = await releaseSource.lockTool(DEFINITION, TOOL, { range: "1.2.3" }, context);
    pages.clear();
    const locked = platforms["linux/amd64"];
    if (locked?.source !== "release") throw new Error("not locked");
    const entries = await releaseSource.materializeTool(locked, "linux/amd64", context);
    expect(entries.map(({ path, mode }) => [path, mode])).toEqual([
      ["usr", 0o755],
      ["usr/local", 0o755],
      ["usr/local/bin", 0o755],
      ["usr/local/bin/greet", 0o755],
    ]);
    const program = entries.at(-1);
    if (program?.type !== "file") throw new Error("no program");
    expect(new TextDecoder().decode(await collectBytes(program.open()))).toBe("greet 1.2.3 x86_64");
  });

  test("by an exact version needs no list", async () => {
    pages.delete("/releases");
    expect((await releaseSource.lockTool(DEFINITION, TOOL, { range: "v1.2.3" }, context)).version).toBe(
      "1.2.3",
    );
  });

  test.each([
    ["^3", "VERSION_NOT_FOUND"],
    ["1.9.9", "VERSION_NOT_FOUND"],
  ])("that is not there (%s) is %s", async (range, code) => {
    pages.set("/v1.9.9/sums.txt", sums("1.9.9"));
    await expect(releaseSource.lockTool(DEFINITION, TOOL, { range }, context)).rejects.toMatchObject({
      code,
    });
  });

  test("that is there for one CPU only is PLATFORM_UNAVAILABLE", async () => {
    pages.delete("/v1.2.3/greet-linux-aarch64.tar.gz");
    const locking = releaseSource.lockTool(DEFINITION, TOOL, { range: "1.2.3" }, context);
    await expect(locking).rejects.toMatchObject({ code: "PLATFORM_UNAVAILABLE" });
  });

  test("whose bytes are not those of the checksum file is refused", async () => {
    pages.set("/v1.2.3/greet-linux-x86_64.tar.gz", "other bytes");
    const locking = releaseSource.lockTool(DEFINITION, TOOL, { range: "1.2.3" }, context);
    await expect(locking).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });

  test("that is published again with other bytes is refused, whatever its checksum file says now", async () => {
    const { platforms } = await releaseSource.lockTool(DEFINITION, TOOL, { range: "1.2.3" }, context);
    await publish("1.2.3", "altered");
    await rm(join(cacheDir, "files"), { recursive: true });
    const locked = platforms["linux/amd64"];
    if (locked?.source !== "release") throw new Error("not locked");
    const building = releaseSource.materializeTool(locked, "linux/amd64", context);
    await expect(building).rejects.toMatchObject({
      code: expect.stringMatching(/^(CHECKSUM|SIZE)_MISMATCH$/) as string,
    });
  });

  test("that is not in its checksum file is refused", async () => {
    pages.set("/v1.2.3/sums.txt", "nothing here\n");
    const locking = releaseSource.lockTool(DEFINITION, TOOL, { range: "1.2.3" }, context);
    await expect(locking).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });

  test("that is packed otherwise than its definition says is a clear error", async () => {
    const definition = { ...DEFINITION, binaries: { greet: "elsewhere/greet" } };
    const locking = releaseSource.lockTool(definition, TOOL, { range: "1.2.3" }, context);
    await expect(locking).rejects.toMatchObject({
      code: "ARCHIVE_INVALID",
      message: expect.stringContaining("elsewhere/greet") as string,
    });
  });

  test("without published checksums is pinned by what is fetched first, and says so", async () => {
    const notes: string[] = [];
    const { checksums: _, ...definition } = DEFINITION;
    const onProgress: SourceContext["onProgress"] = (event) =>
      event.type === "noted" && notes.push(event.note);
    const { platforms } = await releaseSource.lockTool(
      definition,
      TOOL,
      { range: "1.2.3" },
      { ...context, onProgress },
    );
    expect(platforms["linux/amd64"]).toMatchObject({ file: { name: "greet-linux-x86_64.tar.gz" } });
    expect(notes[0]).toContain("no published checksum");
  });
});

describe("checksum files", () => {
  const digest = "a".repeat(64);
  test.each([
    ["plain", `${digest}  greet.tgz\n`, "sha256sum"],
    ["binary mode", `${digest} *greet.tgz\n`, "sha256sum"],
    [
      "with folders and CRLF",
      `${"b".repeat(64)}  ./dist/other\r\n${digest.toUpperCase()}  ./dist/greet.tgz\r\n`,
      "sha256sum",
    ],
    ["BSD", `SHA512 (greet.tgz) = ${"c".repeat(128)}\nSHA256 (greet.tgz) = ${digest}\n`, "sha256sum"],
    ["only the digest", `${digest}\n`, "single"],
    ["the digest and a name", `${digest}  anything\n`, "single"],
  ] as const)("are read: %s", (_, text, format) => {
    expect(parseChecksums(text, "greet.tgz", format)).toBe(digest);
  });

  test.each(["", `${digest}  greet.tgz.sig\n`, `${digest.slice(1)}  greet.tgz\n`])(
    "never match by accident: %j",
    (text) => {
      expect(parseChecksums(text, "greet.tgz", "sha256sum")).toBeUndefined();
    },
  );
});

describe("lists of releases", () => {
  test("may use tags of their own", () => {
    const text = JSON.stringify([{ tag_name: "kustomize/v5.8.1" }, { tag_name: "api/v0.21.1" }]);
    expect(parseReleaseVersions(text, { format: "github", pattern: "^kustomize/v(.+)$" })).toEqual(["5.8.1"]);
  });

  test("may be plain text or any page", () => {
    expect(parseReleaseVersions("v1.2.3\n1.2.0\n", { format: "text" })).toEqual(["1.2.3", "1.2.0"]);
    expect(
      parseReleaseVersions('<a href="x-1.2.3.zip">', { format: "index", pattern: "x-([\\d.]+)\\.zip" }),
    ).toEqual(["1.2.3"]);
  });

  test("that are something else are a clear error", () => {
    expect(() => parseReleaseVersions('{"message":"rate limit"}', { format: "github" })).toThrow(
      /not in the form/,
    );
  });
});

async function publish(version: string, extra = ""): Promise<void> {
  for (const arch of ["x86_64", "aarch64"]) {
    const entries = sortEntries([
      fileEntryOf(`greet-${version}/README.md`, `hello ${extra}`),
      fileEntryOf(`greet-${version}/bin/greet`, `greet ${version} ${arch}`, { mode: 0o755 }),
    ]);
    const archive = await collectBytes(compressGzip(writeTar(entries)));
    pages.set(`/v${version}/greet-linux-${arch}.tar.gz`, archive);
  }
  pages.set(`/v${version}/sums.txt`, sums(version));
}

function sums(version: string): string {
  return ["x86_64", "aarch64"]
    .map(
      (arch) =>
        `${sha256(pages.get(`/v${version}/greet-linux-${arch}.tar.gz`) ?? "")}  greet-linux-${arch}.tar.gz\n`,
    )
    .join("");
}

function sha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}
