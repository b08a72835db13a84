// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { nameChild, nameManifest } from "./content-name.ts";
import { type Descriptor, describeBytes, digestOf, parseManifest } from "./index.ts";
import { MEDIA_TYPES } from "./media-type.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const short = (text: string): string => digestOf(text).slice(7, 19);
const platform = { os: "linux", architecture: "arm64" };
const config = describeBytes(bytes("config"), MEDIA_TYPES.imageConfig);
const one = describeBytes(bytes("one"), MEDIA_TYPES.layerGzip);
const two = { ...describeBytes(bytes("two"), MEDIA_TYPES.layerGzip), annotations: {} };
const layers = [one, two];
const mediaType = MEDIA_TYPES.imageManifest;
const parsed = parseManifest(bytes(JSON.stringify({ schemaVersion: 2, mediaType, config, layers })));

test("a blob is named by its place in the image, and by the beginning of its digest", () => {
  expect(nameChild(config, parsed, platform)).toBe(`config linux/arm64 (${short("config")})`);
  expect(nameChild(two, parsed, platform)).toBe(`layer 2 of 2 linux/arm64 (${short("two")})`);
  expect(nameChild(one, parsed, undefined)).toBe(`layer 1 of 2 (${short("one")})`);
});

test("a title goes before a place, unless a terminal could not take it", () => {
  expect(nameChild(titled("chart.tgz"), parsed, undefined)).toBe(`chart.tgz (${short("one")})`);
  expect(nameChild(titled("\u001B[2J"), parsed, undefined)).toBe(`layer 1 of 2 (${short("one")})`);
});

test("manifests and indexes are told apart", () => {
  expect(nameManifest({ ...describeBytes(bytes("m"), mediaType), platform })).toBe(
    `manifest linux/arm64 (${short("m")})`,
  );
  expect(nameManifest(describeBytes(bytes("i"), MEDIA_TYPES.imageIndex))).toBe(`index (${short("i")})`);
});

function titled(title: string): Descriptor {
  return { ...one, annotations: { "org.opencontainers.image.title": title } };
}
