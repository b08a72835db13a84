// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { INNER_DOORS, MAY_IMPORT } from "./import-table.ts";
import { importsLeaving, importsOf, ROOT, sourceFiles, sourceFolders } from "./source-tree.ts";

describe("the folders of src/", () => {
  test("each has a rule, and each rule a folder", () => {
    expect(sourceFolders()).toEqual(Object.keys(MAY_IMPORT).toSorted());
  });

  test("point their arrows down only: the table has no cycle", () => {
    const above = (folder: string, seen: readonly string[] = []): string[] =>
      seen.includes(folder)
        ? [[...seen, folder].join(" -> ")]
        : (MAY_IMPORT[folder] ?? []).flatMap((next) => above(next, [...seen, folder]));
    expect(Object.keys(MAY_IMPORT).flatMap((folder) => above(folder))).toEqual([]);
  });

  test.each(Object.entries(MAY_IMPORT))("%s/ imports only %j", (folder, allowed) => {
    const strays = importsLeaving(folder).filter(({ target }) => !allowed.includes(target));
    expect(strays).toEqual([]);
  });

  test.each(Object.keys(MAY_IMPORT))("%s/ enters other folders by their front door", (folder) => {
    const backDoors = importsLeaving(folder)
      .filter(({ target }) => target !== "core")
      .filter(
        ({ path, target }) => ![target, ...INNER_DOORS].some((door) => path === `src/${door}/index.ts`),
      );
    expect(backDoors).toEqual([]);
  });

  test.each(Object.keys(MAY_IMPORT).filter((folder) => folder !== "core" && folder !== "cli"))(
    "%s/ has a front door",
    (folder) => {
      expect(sourceFiles(`src/${folder}`)).toContain(`src/${folder}/index.ts`);
    },
  );

  test("import what exists", () => {
    const missing = sourceFolders()
      .flatMap((folder) => importsLeaving(folder))
      .filter(({ path }) => !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });
});

test("every form of import is seen", () => {
  const text = `import a from "./a.ts"; import './b.ts'; export * from "./c.ts";
    const d = await import("./d.ts"); type E = import("./e.ts").E; new URL("./f.mjs", import.meta.url);
    import {
      g,
    } from "./g.ts";`;
  const seen = importsOf(text).toSorted();
  expect(seen).toEqual(["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.mjs", "./g.ts"]);
});
