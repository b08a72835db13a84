// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { type LayerMember as Member, writeForeignTar } from "../../test/support/layered-image.ts";
import { streamOf } from "../core/byte-stream.ts";
import { MergedTree, readLayerMembers } from "./merged-tree.ts";

describe("what layers show together", () => {
  test("does not depend on how it is cut into layers, nor on the order", async () => {
    const [a, b] = [
      { name: "a", content: "1" },
      { name: "b/c", content: "2" },
    ];
    expect(await compare([[a, b]], [[b], [a]])).toEqual([]);
    expect(await compare([[{ ...a, content: "old" }], [a]], [[a]])).toEqual([]);
  });

  test("has in it neither what a whiteout hides nor what lies below that", async () => {
    const files: Member[] = [{ name: "d", type: "directory" }, { name: "d/x", content: "1" }, { name: "e" }];
    expect(await compare([files, [{ name: ".wh.d" }]], [[{ name: "e" }]])).toEqual([]);
    expect(await compare([files, [{ name: "d/.wh.x" }]], [files])).toEqual(["added d/x"]);
  });

  test("keeps what a layer brings beside its whiteouts", async () => {
    const folder: Member = { name: "d", type: "directory" };
    const below = [folder, { name: "d/x", content: "1" }];
    const above: Member[] = [folder, { name: "d/new", content: "2" }, { name: "d/.wh..wh..opq" }];
    expect(await compare([below, above], [[folder, { name: "d/new", content: "2" }]])).toEqual([]);
    expect(await compare([below, [{ name: "d/.wh.x" }, { name: "d/x", content: "2" }]], [below])).toEqual([
      "changed d/x: content",
    ]);
  });

  test("has nothing below a folder that a file replaced", async () => {
    const below: Member[] = [{ name: "d", type: "directory" }, { name: "d/x" }];
    expect(await compare([below, [{ name: "d", content: "file" }]], [below])).toEqual([
      "changed d: type, mode",
      "added d/x",
    ]);
  });

  test("takes the names of one file for files", async () => {
    const two: Member[] = [
      { name: "a", content: "1" },
      { name: "b", type: "link", linkname: "a" },
    ];
    const swapped: Member[] = [
      { name: "b", content: "1" },
      { name: "a", type: "link", linkname: "b" },
    ];
    expect(await compare([two], [swapped])).toEqual([]);
  });
});

async function compare(from: readonly (readonly Member[])[], to: readonly (readonly Member[])[]) {
  const [before, after] = [await merge(from), await merge(to)];
  return before.compareTo(after).map(({ kind, path, aspects }) => {
    return aspects.length === 0 ? `${kind} ${path}` : `${kind} ${path}: ${aspects.join(", ")}`;
  });
}

async function merge(layers: readonly (readonly Member[])[]): Promise<MergedTree> {
  const tree = new MergedTree();
  for (const members of layers) {
    tree.add(await readLayerMembers(streamOf(await writeForeignTar(members)), {}));
  }
  return tree;
}
