// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSource } from "./source-tree.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/write-images-table.mjs");

test("README shows the images of the committed lock, and no sizes of another", () => {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, "--check"], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

test("README names each tool of the images with its locked version", () => {
  const lock = JSON.parse(readFileSync(join(import.meta.dirname, "../../images/toolbox.lock"), "utf8")) as {
    images: Record<string, { tools: string[] }>;
    tools: Record<string, { version: string }>;
  };
  const readme = readSource("README.md");
  for (const [image, { tools }] of Object.entries(lock.images)) {
    expect(readme).toContain(`| \`${image}\``);
    for (const tool of tools) expect(readme).toContain(`${tool} ${lock.tools[tool]?.version}`);
  }
});
