// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { createPathFilter } from "./path-filter.ts";

const excludes = createPathFilter(["/usr/share/doc/*", "!/usr/share/doc/*/copyright", "/usr/share/man/??/*"]);

test.each([
  ["usr/share/doc/git/README", true],
  ["usr/share/doc/git/copyright", false],
  ["usr/share/man/de/man1/x", true],
  ["usr/share/man/man1/x", false],
  ["usr/share/documents", false],
])('"%s" is left out: %s', (path, expected) => expect(excludes(path)).toBe(expected));

test("leaves nothing out without patterns", () => expect(createPathFilter([])("etc/x")).toBe(false));
