// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { workspaceJsonSchema } from "./json-schema.ts";

describe("schema/toolbox.schema.json", () => {
  test("is what the code checks by; `npm run schema` writes it", () => {
    const published = readFileSync(new URL("../../schema/toolbox.schema.json", import.meta.url), "utf8");
    expect(JSON.parse(published)).toEqual(JSON.parse(JSON.stringify(workspaceJsonSchema())));
  });

  test.each([
    ["a short wish", { tools: { jq: "^1.7" } }, true],
    ["a detailed wish", { tools: { jq: { version: "^1.7", source: "debian" } } }, true],
    ["an image", { images: { k8s: { tools: ["jq"] } } }, true],
    ["an unknown key", { tols: {} }, false],
    ["an unknown key of a definition", { tools: { x: { definition: { sumary: "x" } } } }, false],
    ["a number as version", { tools: { jq: 1.7 } }, false],
  ])("an editor that knows it judges %s as the command does", (_, value, expected) => {
    expect(new Ajv2020({ strict: false }).compile(workspaceJsonSchema())(value)).toBe(expected);
  });
});
