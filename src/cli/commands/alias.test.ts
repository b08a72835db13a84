// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CommandContext, CommandInput } from "../command.ts";
import { aliasCommand } from "./alias.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;
const PINNED = `registry.example/team/tools@${DIGEST}`;

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-alias-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("the alias of the seed, with the pinned digest and a terminal only where there is one", async () => {
  await writeLock({ use: { reference: "registry.example/team/tools:1.4", digest: DIGEST, platforms: {} } });
  expect(await alias({})).toEqual([
    "# registry.example/team/tools:1.4",
    `alias toolbox='docker run -i $([ -t 0 ] && [ -t 1 ] && echo -t) --rm -v "$(pwd)":/work -w /work ${PINNED}'`,
  ]);
  expect((await alias({ engine: "podman" }))[1]).toContain("'podman run ");
});

test("the Makefile target of the seed", async () => {
  await writeLock({ use: { reference: "registry.example/team/tools:1.4", digest: DIGEST, platforms: {} } });
  expect((await alias({ make: true }))[1]).toBe(
    [
      `TOOLBOX_IMAGE = ${PINNED}`,
      ".PHONY: toolbox",
      "toolbox:",
      '\t@docker run -i $$([ -t 0 ] && [ -t 1 ] && echo -t) --rm -v "$(CURDIR)":/work -w /work $(TOOLBOX_IMAGE) $(CMD)',
    ].join("\n"),
  );
});

test("an image that nobody else can pull is an error", async () => {
  await writeLock({ images: { tools: { tools: [] } } });
  await expect(alias({ image: "tools" })).rejects.toMatchObject({ code: "IMAGE_NOT_FOUND" });
  await expect(alias({ image: "tols" })).rejects.toMatchObject({ hint: 'Did you mean "tools"?' });
  await expect(alias({})).rejects.toMatchObject({ code: "SESSION_INVALID" });
});

async function writeLock(members: object): Promise<void> {
  await writeFile(join(folder, "toolbox.lock"), JSON.stringify({ lockVersion: 1, ...members }));
}

async function alias(options: CommandInput["options"]): Promise<string[]> {
  const lines: string[] = [];
  const context = {
    start: folder,
    paths: { store: join(folder, "store") },
    print: (line: string) => lines.push(line),
    printJson: () => undefined,
  } as unknown as CommandContext;
  await aliasCommand.run({ operands: [], options }, context);
  return lines;
}
