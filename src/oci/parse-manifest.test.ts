// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { describeBytes, EMPTY_BYTES, EMPTY_DESCRIPTOR } from "./descriptor.ts";
import { MEDIA_TYPES } from "./media-type.ts";
import { parseImageConfig, parseManifest } from "./parse-manifest.ts";

const BLOB = { mediaType: MEDIA_TYPES.imageConfig, digest: `sha256:${"a".repeat(64)}`, size: 3 };
const MANIFEST = { schemaVersion: 2, mediaType: MEDIA_TYPES.imageManifest, config: BLOB, layers: [BLOB] };
const INDEX = { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests: [] };

test("the empty descriptor describes the two bytes of an empty object", () => {
  expect(EMPTY_DESCRIPTOR).toMatchObject(describeBytes(EMPTY_BYTES, MEDIA_TYPES.empty));
  expect(Buffer.from(EMPTY_DESCRIPTOR.data ?? "", "base64").toString()).toBe("{}");
});

describe("parseManifest", () => {
  test("tells a manifest from an index and lets unknown members through", () => {
    expect(parse({ ...MANIFEST, "x-other": 1 })).toMatchObject({
      kind: "manifest",
      manifest: { "x-other": 1 },
    });
    expect(parse(INDEX)).toMatchObject({ kind: "index" });
    expect(parse({ schemaVersion: 2, manifests: [] })).toMatchObject({ kind: "index" });
    expect(parse({ ...MANIFEST, layers: [] })).toMatchObject({ kind: "manifest" });
  });

  test.each([
    ["another schema version", { ...MANIFEST, schemaVersion: 1 }],
    ["a version as text", { ...MANIFEST, schemaVersion: "2" }],
    ["both manifests and layers", { ...MANIFEST, manifests: [] }],
    ["an index with a config", { ...INDEX, config: BLOB }],
    ["no layers", { ...MANIFEST, layers: undefined }],
    ["a layer that is no object", { ...MANIFEST, layers: ["a"] }],
    ["a negative size", { ...MANIFEST, config: { ...BLOB, size: -1 } }],
    ["a broken size", { ...MANIFEST, config: { ...BLOB, size: 1.5 } }],
    ["a size beyond 2^53", { ...MANIFEST, config: { ...BLOB, size: 2 ** 53 } }],
    ["a size as text", { ...MANIFEST, config: { ...BLOB, size: "3" } }],
    ["a short digest", { ...MANIFEST, config: { ...BLOB, digest: "sha256:abc" } }],
    ["a digest in capitals", { ...MANIFEST, config: { ...BLOB, digest: `sha256:${"A".repeat(64)}` } }],
    ["a digest that climbs", { ...MANIFEST, config: { ...BLOB, digest: "sha256:../../etc/passwd" } }],
    ["a weak digest", { ...MANIFEST, config: { ...BLOB, digest: "md5:d41d8cd98f00b204e9800998ecf8427e" } }],
    ["a bad media type", { ...MANIFEST, config: { ...BLOB, mediaType: "text" } }],
    ["an annotation that is a number", { ...MANIFEST, annotations: { a: 1 } }],
    ["a bad subject", { ...MANIFEST, subject: {} }],
    ["an empty config and no artifact type", { ...MANIFEST, config: EMPTY_DESCRIPTOR }],
    ["a platform without architecture", { ...INDEX, manifests: [{ ...BLOB, platform: { os: "linux" } }] }],
    ["the obsolete format", { schemaVersion: 2, fsLayers: [], config: BLOB, layers: [] }],
    ["another type", { ...MANIFEST, mediaType: "application/json" }],
    ["nothing of the kind", []],
  ])("refuses %s", (_, document) => {
    expect(() => parse(document)).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }));
  });

  test("refuses a document that is not of the type it came as", () => {
    expect(() => parse(MANIFEST, MEDIA_TYPES.imageIndex)).toThrow("came as");
    expect(() => parse(MANIFEST, MEDIA_TYPES.dockerManifest)).toThrow("came as");
    expect(() => parse({ ...MANIFEST, mediaType: undefined }, MEDIA_TYPES.imageIndex)).toThrow("manifests");
  });

  test("refuses keys that come twice", () => {
    const text = JSON.stringify(MANIFEST).replace("{", '{"layers":[],');
    expect(() => parseManifest(new TextEncoder().encode(text))).toThrow(
      expect.objectContaining({ code: "JSON_INVALID" }),
    );
  });
});

describe("parseImageConfig", () => {
  const config = { architecture: "arm64", os: "linux", rootfs: { type: "layers", diff_ids: [BLOB.digest] } };

  test("reads a config and counts its layers", () => {
    expect(parseConfig(config, 1).architecture).toBe("arm64");
    expect(() => parseConfig(config, 2)).toThrow("2 layers");
  });

  test.each([
    ["without a platform", { ...config, os: undefined }],
    ["with another kind of root", { ...config, rootfs: { type: "windows", diff_ids: [] } }],
    ["with a bad diff_id", { ...config, rootfs: { type: "layers", diff_ids: ["x"] } }],
  ])("refuses one %s", (_, document) => {
    expect(() => parseConfig(document)).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }));
  });
});

function parse(document: unknown, mediaType?: string): unknown {
  return parseManifest(new TextEncoder().encode(JSON.stringify(document)), mediaType);
}

function parseConfig(document: unknown, layers?: number): { architecture: string } {
  return parseImageConfig(
    new TextEncoder().encode(JSON.stringify(document)),
    layers === undefined ? {} : { layers },
  );
}
