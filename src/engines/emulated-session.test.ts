// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exampleSession } from "../../test/support/example-session.ts";
import { parseDigest } from "../oci/index.ts";
import { emulateCommand, mountEmulator } from "./emulated-session.ts";

const SESSION = exampleSession({
  image: { digest: parseDigest(`sha256:${"0".repeat(64)}`), platform: "linux/arm64" },
  argv: ["tool"],
  env: { PATH: "/usr/local/bin:/usr/bin" },
  network: "none",
});

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "emulated-"));
  await add("usr/bin/tool", "\u007FELF");
  await add("usr/bin/python3.13", "\u007FELF");
  await symlink("python3.13", join(root, "usr/bin/python3"));
  await add("usr/local/bin/script", "#!/usr/bin/python3 -I\nprint()\n");
  await add("usr/local/bin/nested", "#! /usr/local/bin/script\n");
  await add("usr/local/bin/endless", "#!/usr/local/bin/endless\n");
  await add("usr/local/bin/orphan", "#!/usr/bin/perl\n");
  await add("usr/local/bin/empty", "");
});
afterAll(async () => rm(root, { recursive: true }));

async function add(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
  await chmod(join(root, path), 0o755);
}

async function argvOf(...argv: string[]): Promise<readonly string[] | undefined> {
  return (await emulateCommand({ ...SESSION, argv }, root))?.argv;
}

describe("a command in an emulator", () => {
  const start = ["/run/toolbox-emulator", "-0"];

  test("is looked up on PATH, and keeps the name that it was called by", async () => {
    expect(await argvOf("tool", "-x", "")).toEqual([...start, "tool", "/usr/bin/tool", "-x", ""]);
  });

  test("that is a script starts the script's interpreter, as the kernel would", async () => {
    expect(await argvOf("script", "a")).toEqual([
      ...start,
      "/usr/bin/python3",
      "/usr/bin/python3",
      "-I",
      "/usr/local/bin/script",
      "a",
    ]);
  });

  test("may be a script for a script", async () => {
    const words = ["-I", "/usr/local/bin/script", "/usr/local/bin/nested"];
    expect(await argvOf("nested")).toEqual([...start, "/usr/bin/python3", "/usr/bin/python3", ...words]);
  });

  test("that the image does not hold, or whose interpreter it does not hold, is not found", async () => {
    expect([await argvOf("missing"), await argvOf("orphan"), await argvOf("")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("that is an empty file is left to the emulator to refuse", async () => {
    expect(await argvOf("empty")).toEqual([...start, "empty", "/usr/local/bin/empty"]);
  });

  test("that is a script for itself is an error", async () => {
    await expect(argvOf("endless")).rejects.toMatchObject({ code: "SESSION_INVALID" });
  });

  test("finds the emulator inside, where nobody can change it", () => {
    expect(mountEmulator(SESSION, "/usr/bin/qemu-aarch64-static").mounts).toEqual([
      { source: "/usr/bin/qemu-aarch64-static", target: "/run/toolbox-emulator", readOnly: true },
    ]);
  });
});
