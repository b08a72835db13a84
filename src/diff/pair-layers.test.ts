// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { digestOf, MEDIA_TYPES } from "../oci/index.ts";
import { type LayerEnd, type LayerPair, pairLayers } from "./pair-layers.ts";

describe("pairLayers", () => {
  test("knows a layer by its digest wherever it stands", () => {
    expect(pair("a b c", "a c b")).toEqual(["same a a", "same c c", "same b b moved"]);
  });

  test("a layer that came or went moves no other", () => {
    expect(pair("a b c", "new a b c")).toEqual(["added new", "same a a", "same b b", "same c c"]);
    expect(pair("a b c", "b c")).toEqual(["removed a", "same b b", "same c c"]);
  });

  test("knows a layer that was only compressed differently by its diffID", () => {
    expect(pair("a b/gzip", "a b/zstd")).toEqual(["same a a", "recompressed b/gzip b/zstd"]);
  });

  test("pairs layers of one name, and never those of two", () => {
    expect(pair("base helm=1 yq=1", "base helm=2 jq=1")).toEqual([
      "same base base",
      "changed helm=1 helm=2",
      "removed yq=1",
      "added jq=1",
    ]);
  });

  test("pairs what has no name in order", () => {
    expect(pair("a b c", "x b y z")).toEqual(["changed a x", "same b b", "changed c y", "added z"]);
  });

  test("takes one layer that stands twice for two", () => {
    expect(pair("a a b", "a b")).toEqual(["same a a", "removed a", "same b b"]);
  });

  test("knows nothing of content where there is no config", () => {
    const [from, to] = [layersOf("a"), layersOf("b")].map(([layer]) => ({ ...layer, diffID: undefined }));
    expect(pairLayers([from as LayerEnd], [to as LayerEnd])).toMatchObject([{ kind: "changed" }]);
  });
});

function pair(from: string, to: string): readonly string[] {
  return pairLayers(layersOf(from), layersOf(to)).map((each: LayerPair) => {
    if (each.kind === "added") return `added ${each.to.createdBy}`;
    if (each.kind === "removed") return `removed ${each.from.createdBy}`;
    return `${each.kind} ${each.from.createdBy} ${each.to.createdBy}${each.moved ? " moved" : ""}`;
  });
}

/** `TEXT` is a layer of that content, `TEXT/WRAPPING` one that is wrapped, `NAME=TEXT` one that has a name. */
function layersOf(texts: string): readonly LayerEnd[] {
  return texts.split(" ").map((text, position) => {
    const bytes = new TextEncoder().encode(text);
    const [content = ""] = text.split("/");
    return {
      position,
      descriptor: { mediaType: MEDIA_TYPES.layerGzip, digest: digestOf(bytes), size: bytes.byteLength },
      diffID: digestOf(new TextEncoder().encode(content)),
      createdBy: text,
      name: text.includes("=") ? text.split("=")[0] : undefined,
    };
  });
}
