// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exampleSession } from "../../test/support/example-session.ts";
import type { Session, SessionMount } from "../session/index.ts";
import { prepareSession } from "./prepare-session.ts";
import { refuseCommand } from "./resolve-command.ts";
import { makeMountPointInside, resolveInside } from "./rootfs-path.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-prepare-"));
  await mkdir(join(folder, "work"));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

describe("prepareSession", () => {
  test("turns generated files into mounts, equal ones into one file", async () => {
    const files = [{ target: "/etc/passwd", content: "x" }];
    const [mount] = (await prepare([], files)).mounts;
    expect(mount).toMatchObject({ target: "/etc/passwd", readOnly: true });
    expect(await readFile(mount?.source ?? "", "utf8")).toBe("x");
    expect((await prepare([], files)).mounts).toEqual([mount]);
  });

  test("makes a missing home, for its owner alone", async () => {
    const source = join(folder, "state/homes/shop");
    await prepare([{ source, target: "/home/toolbox", readOnly: false, create: "folder" }]);
    expect((await stat(source)).mode & 0o777).toBe(0o700);
  });

  test("makes the place of a mount inside a mount, so that no daemon makes it as root", async () => {
    const work = { source: join(folder, "work"), target: "/work", readOnly: false };
    await writeFile(join(folder, "config"), "");
    await prepare([
      work,
      { source: folder, target: "/work/a/b", readOnly: true },
      { source: join(folder, "config"), target: "/work/c", readOnly: true },
    ]);
    expect((await stat(join(folder, "work/a/b"))).isDirectory()).toBe(true);
    expect((await stat(join(folder, "work/c"))).isFile()).toBe(true);
  });

  test("does not follow a link out of the outer mount", async () => {
    await symlink(folder, join(folder, "work", "out"));
    const mounts = [
      { source: join(folder, "work"), target: "/work", readOnly: false },
      { source: folder, target: "/work/out/new", readOnly: true },
    ];
    await expect(prepare(mounts)).rejects.toMatchObject({ code: "MOUNT_REFUSED" });
    await expect(stat(join(folder, "new"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("does not look for a source in the engine's virtual machine, only makes its place", async () => {
    const home = { source: join(folder, "home"), target: "/h", readOnly: false, create: "folder" as const };
    const agent = {
      source: "/run/host-services/s",
      target: "/h/.ssh/s",
      readOnly: true,
      remote: true as const,
    };
    expect((await prepare([home, agent])).mounts).toContainEqual(agent);
    expect((await stat(join(folder, "home/.ssh/s"))).isFile()).toBe(true);
  });

  test("names a source that is not there", async () => {
    const mounts = [{ source: join(folder, "gone"), target: "/gone", readOnly: true }];
    await expect(prepare(mounts)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: expect.stringContaining("gone"),
    });
  });
});

describe("a private copy", () => {
  const target = "/home/toolbox/.kube/config";
  const copyInto = async (content: string): Promise<string> => {
    const source = join(folder, "home");
    const mounts = [{ source, target: "/home/toolbox", readOnly: false, create: "folder" as const }];
    await prepareSession(exampleSession({ mounts, copies: [{ target, content }] }), join(folder, "state"));
    return join(source, ".kube/config");
  };

  test("keeps what a tool wrote into it until its source changes", async () => {
    const path = await copyInto("first");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await writeFile(path, "context switched");
    await copyInto("first");
    expect(await readFile(path, "utf8")).toBe("context switched");
    await copyInto("second");
    expect(await readFile(path, "utf8")).toBe("second");
  });

  test("does not follow a link that a command left in HOME", async () => {
    await mkdir(join(folder, "home"));
    await mkdir(join(folder, "elsewhere"));
    await symlink(join(folder, "elsewhere"), join(folder, "home", ".kube"));
    await expect(copyInto("first")).rejects.toMatchObject({ code: "MOUNT_REFUSED" });
    await expect(stat(join(folder, "elsewhere/config"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("goes when no session names it any more, and nothing else does", async () => {
    const { session, home } = await copySession([
      { target: "/home/toolbox/.kube/config", content: "k" },
      { target: "/home/toolbox/.aws/cache", content: "a" },
    ]);
    await writeFile(join(home, ".aws/own"), "");
    await prepareSession({ ...session, copies: session.copies.slice(0, 1) }, join(folder, "state"));
    expect(await readdir(join(home, ".aws"))).toEqual(["own"]);
    expect(await readFile(join(home, ".kube/config"), "utf8")).toBe("k");
    await prepareSession({ ...session, copies: [] }, join(folder, "state"));
    expect(await readdir(join(home, ".kube"))).toEqual([]);
    expect(await readdir(join(home, ".toolbox/copies"))).toEqual([]);
  });

  test("whatever commands do to their home, no file outside of it goes with a copy", async () => {
    const { session, home } = await copySession([{ target: "/home/toolbox/.kube/config", content: "k" }]);
    await mkdir(join(folder, "outside"));
    await writeFile(join(folder, "outside/config"), "mine");
    await rm(join(home, ".kube"), { recursive: true });
    await symlink(join(folder, "outside"), join(home, ".kube"));
    const notes = join(home, ".toolbox/copies");
    const depth = join("..", "..", "outside/config");
    for (const [name, path] of Object.entries({
      a: depth,
      b: "/outside/config",
      c: ".toolbox/copies",
      d: "",
    }))
      await writeFile(join(notes, name), `x\n${path}\n`);
    await prepareSession({ ...session, copies: [] }, join(folder, "state"));
    expect(await readFile(join(folder, "outside/config"), "utf8")).toBe("mine");
    expect(await readdir(notes)).toEqual([]);
  });

  test("is made nowhere but below HOME", async () => {
    const session = exampleSession({ copies: [{ target: "/etc/x", content: "" }] });
    await expect(prepareSession(session, join(folder, "state"))).rejects.toMatchObject({
      code: "MOUNT_REFUSED",
    });
  });
});

describe("resolveInside", () => {
  test.each([
    ["/etc/hosts", "/etc/hosts"],
    ["/absolute/x", "/etc/x"],
    ["/up/x", "/x"],
    ["/work/../etc/x", "/etc/x"],
    ["/chain/x", "/etc/x"],
  ])("%s is %s", async (path, expected) => {
    await mkdir(join(folder, "etc"));
    await symlink("/etc", join(folder, "absolute"));
    await symlink("../../../..", join(folder, "up"));
    await symlink("absolute", join(folder, "chain"));
    expect(await resolveInside(folder, path)).toBe(expected);
  });

  test("ends for links that lead to each other", async () => {
    await symlink("b", join(folder, "a"));
    await symlink("a", join(folder, "b"));
    await expect(resolveInside(folder, "/a")).rejects.toMatchObject({ code: "MOUNT_REFUSED" });
  });

  test("a place below a file cannot be made", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(makeMountPointInside(folder, "/file/x", "folder")).rejects.toMatchObject({
      code: "MOUNT_REFUSED",
    });
  });
});

describe("refuseCommand", () => {
  test.each([
    ["tool", undefined],
    ["plain", 126],
    ["none", 127],
    ["/usr/bin/tool", undefined],
    ["./script", undefined],
    ["./plain.txt", 126],
    ["", 127],
  ])("of %j is %s", async (name, expected) => {
    await mkdir(join(folder, "root/usr/bin"), { recursive: true });
    await symlink("usr/bin", join(folder, "root/bin"));
    await writeFile(join(folder, "root/usr/bin/tool"), "", { mode: 0o755 });
    await writeFile(join(folder, "root/usr/bin/plain"), "", { mode: 0o644 });
    await writeFile(join(folder, "work/script"), "", { mode: 0o755 });
    await writeFile(join(folder, "work/plain.txt"), "", { mode: 0o644 });
    const mounts = [{ source: join(folder, "work"), target: "/work", readOnly: false }];
    const session = exampleSession({ mounts, argv: [name], env: { PATH: "/nowhere:/bin" } });
    expect(await refuseCommand(session, join(folder, "root"))).toBe(expected);
  });
});

/** A session that has been prepared once, and its home on this machine. */
async function copySession(copies: Session["copies"]): Promise<{ session: Session; home: string }> {
  const home = join(folder, "state/home");
  const mounts = [{ source: home, target: "/home/toolbox", readOnly: false, create: "folder" as const }];
  const session = exampleSession({ mounts, copies });
  await prepareSession(session, join(folder, "state"));
  return { session, home };
}

function prepare(mounts: readonly SessionMount[], files: Session["files"] = []): Promise<Session> {
  return prepareSession(exampleSession({ mounts, files }), join(folder, "state"));
}
