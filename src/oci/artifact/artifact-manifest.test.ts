// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { digestOf } from "../digest.ts";
import { EMPTY_DESCRIPTOR } from "../descriptor.ts";
import type { ImageManifest } from "../image-manifest.ts";
import { MEDIA_TYPES } from "../media-type.ts";
import { parseManifest } from "../parse-manifest.ts";
import { type ArtifactFile, listTitledLayers, packArtifact } from "./artifact-manifest.ts";
import { objectionToTitle, TITLE, titleOf } from "./artifact-title.ts";

const SPDX = "application/spdx+json";

function file(title: string, mediaType = SPDX): ArtifactFile {
  return { title, mediaType, digest: digestOf(title), size: title.length };
}

function manifestWith(...titles: readonly string[]): ImageManifest {
  const layers = titles.map((title) => {
    return { mediaType: SPDX, digest: digestOf(title), size: 1, annotations: { [TITLE]: title } };
  });
  return { schemaVersion: 2, config: EMPTY_DESCRIPTOR, layers };
}

describe("packArtifact", () => {
  test("writes the manifest that scanners look for: one layer of the artifact's type, and what it is about", () => {
    const subject = {
      mediaType: MEDIA_TYPES.imageIndex,
      digest: digestOf("image"),
      size: 5,
      annotations: { a: "b" },
    };
    const { descriptor, bytes, blobs } = packArtifact(SPDX, [file("sbom.json")], { subject });
    const parsed = parseManifest(bytes, descriptor.mediaType);
    expect(parsed).toMatchObject({
      kind: "manifest",
      manifest: { artifactType: SPDX, config: EMPTY_DESCRIPTOR },
    });
    if (parsed.kind !== "manifest") throw new Error("no manifest");
    expect(parsed.manifest.layers).toEqual([
      { mediaType: SPDX, digest: digestOf("sbom.json"), size: 9, annotations: { [TITLE]: "sbom.json" } },
    ]);
    expect(parsed.manifest.subject).toEqual({
      mediaType: subject.mediaType,
      digest: subject.digest,
      size: 5,
    });
    expect(descriptor).toMatchObject({ digest: digestOf(bytes), size: bytes.byteLength, artifactType: SPDX });
    expect(blobs).toHaveLength(2);
  });

  test("gives an artifact without files the empty layer", () => {
    const { bytes } = packArtifact("x/seal", [], { annotations: { by: "me" } });
    expect(parseManifest(bytes)).toMatchObject({
      manifest: { layers: [EMPTY_DESCRIPTOR], annotations: { by: "me" } },
    });
  });

  test.each([
    ["a type that is none", () => packArtifact("sbom", [])],
    ["a type of a file that is none", () => packArtifact(SPDX, [file("a", "text")])],
  ])("refuses %s", (_, pack) => {
    expect(pack).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }));
  });
});

describe("titles", () => {
  test.each([
    ["sbom.json", "sbom.json"],
    ["./a//b/./c.txt", "a/b/c.txt"],
    ["/tmp/sbom.json", "sbom.json"],
    ["../up/sbom.json", "sbom.json"],
  ])("of the file %s is %s", (path, title) => {
    expect(titleOf(path)).toBe(title);
  });

  test.each([
    "",
    "/a",
    "..",
    "a/..",
    "a/../b",
    "a//b",
    "a/",
    "./a",
    "C:",
    "c:/x",
    "a\\b",
    "a\0b",
    "a\nb",
    "~/x",
    "nul",
    "con.txt",
    "a.",
  ])("that may not become a path: %j", (title) => {
    expect(objectionToTitle(title)).toBeDefined();
    expect(() => listTitledLayers(manifestWith(title))).toThrow(
      expect.objectContaining({ code: "ARCHIVE_UNSAFE" }),
    );
  });

  test("that pass stay below the folder, whatever they are", () => {
    const part = fc.oneof(fc.constantFrom("..", ".", "", "a", "C:", "~"), fc.string({ maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const title = parts.join("/");
        if (objectionToTitle(title) !== undefined) return;
        expect(posix.normalize(title)).toBe(title);
        expect(posix.resolve("/root/folder", title).startsWith("/root/folder/")).toBe(true);
      }),
    );
  });

  test.each([
    ["a", "a"],
    ["a", "A"],
    ["\u00e9", "e\u0301"],
    ["a", "a/b"],
    ["A/b/c", "a/B"],
  ])("%s and %s cannot stand beside each other", (one, other) => {
    for (const titles of [
      [one, other],
      [other, one],
    ]) {
      expect(() => listTitledLayers(manifestWith(...titles))).toThrow(
        expect.objectContaining({ code: "PATH_CONFLICT" }),
      );
    }
  });

  test("that only begin alike do not disturb each other", () => {
    expect(listTitledLayers(manifestWith("a", "ab", "abc/d"))).toHaveLength(3);
  });
});
