// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import { type InstalledWheel, installWheels } from "./install-wheels.ts";

const MEGABYTE = 1024 * 1024;
const options = { tool: "lint", python: "3.13", programsOf: ["lint"], binaries: ["lint"] };

/** A wheel whose only program is so many megabytes, the first of which starts with the text. */
function wheelOf(start: string, megabytes: number): InstalledWheel {
  const open = async function* (): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < megabytes; index += 1) {
      const chunk = Buffer.alloc(MEGABYTE, 0x2e);
      if (index === 0) chunk.write(start);
      yield chunk;
    }
  };
  const path = "lint-1.0.data/scripts/lint";
  const members = [{ path, isExecutable: false, size: megabytes * MEGABYTE, open }];
  return { project: "lint", name: "lint-1.0-py3-none-any.whl", members };
}

async function programOf(wheel: InstalledWheel): Promise<Uint8Array> {
  const entry = (await installWheels([wheel], options)).find(({ path }) => path === "opt/lint/bin/lint");
  if (entry?.type !== "file") throw new Error("there is no program");
  expect(entry.mode).toBe(0o755);
  const content = await collectBytes(entry.open());
  expect(entry.size).toBe(content.byteLength);
  return content;
}

test("a program in machine code is installed as it is, however large", async () => {
  const content = await programOf(wheelOf("\x7fELF", 20));
  expect(content.byteLength).toBe(20 * MEGABYTE);
  expect(Buffer.from(content.subarray(0, 4)).toString("latin1")).toBe("\x7fELF");
});

test("a script gets the tool's own Python", async () => {
  const content = await programOf(wheelOf("#!python\nimport lint\n", 1));
  expect(Buffer.from(content.subarray(0, 37)).toString()).toBe("#!/opt/lint/bin/python3 -I\nimport lin");
});

test("a script of an unbelievable size is a clear error", async () => {
  const failure = await installWheels([wheelOf("#!python\n", 17)], options).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ToolingError);
  expect(failure).toMatchObject({ code: "ARCHIVE_LIMIT_EXCEEDED" });
});
