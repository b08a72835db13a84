// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { type Header, pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { collectBytes } from "../core/byte-stream.ts";
import type { LockedPackage } from "./lock-packages.ts";
import { materializePackages, type MaterializePackagesOptions } from "./materialize-packages.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "debs-"));
});
afterEach(async () => rm(folder, { recursive: true }));

describe("materializePackages", () => {
  test("gives one sorted tree, merged into /usr, with owners and modes kept", async () => {
    const a = await makePackage("a", { files: [{ name: "./bin/a", mode: 0o4755, gid: 42, text: "A" }] });
    const b = await makePackage("b", {
      files: [
        { name: "./usr/bin/b", text: "B" },
        { name: "./usr/bin/b2", type: "link", linkname: "./usr/bin/b" },
        { name: "./lib/l", type: "symlink", linkname: "../bin/b" },
      ],
    });
    const tree = await read([b, a]);
    expect(tree).toMatchObject({
      "usr/bin/a": { type: "file", mode: 0o4755, gid: 42, text: "A" },
      "usr/bin/b": { type: "file", text: "B" },
      "usr/bin/b2": { type: "hardlink", target: "usr/bin/b" },
      "usr/lib/l": { type: "symlink", target: "../bin/b" },
      "var/lib/dpkg/info/a.list": { text: "/bin/a\n" },
    });
    expect(Object.keys(tree)).toEqual(Object.keys(tree).toSorted());
    expect(tree).not.toHaveProperty(["var/lib/dpkg/status"]);
    expect(await read([a, b])).toEqual(tree);
  });

  test("gives a base the links into /usr that no package brings, and leaves those that one does", async () => {
    const a = await makePackage("a", {
      files: [
        { name: "./bin/a", text: "A" },
        { name: "./lib64/l", type: "symlink", linkname: "/lib/l" },
      ],
    });
    const b = await makePackage("b", {
      files: [
        { name: "./usr/lib32/l", text: "L" },
        { name: "./lib32", type: "symlink", linkname: "./usr/lib32" },
      ],
    });
    const tree = await read([a, b], { baseArchitecture: "amd64" });
    expect(tree).toMatchObject({
      bin: { type: "symlink", target: "usr/bin" },
      lib64: { type: "symlink", target: "usr/lib64" },
      lib32: { type: "symlink", target: "./usr/lib32" },
    });
    expect(tree).not.toHaveProperty(["sbin"]);
    expect(await read([a, b])).not.toHaveProperty(["bin"]);
  });

  test("refuses two owners of a path by both names, unless one replaces the other", async () => {
    const files = [{ name: "./usr/bin/x", text: "" }];
    const a = await makePackage("a", { files });
    const b = await makePackage("b", { files });
    const c = await makePackage("c", { files, control: "Replaces: b (<< 2), a" });
    await expect(read([a, b])).rejects.toMatchObject({
      code: "PATH_CONFLICT",
      message: 'packages "a" and "b" both own "/usr/bin/x"',
    });
    const tree = await read([a, c]);
    expect(tree["var/lib/dpkg/info/a.list"]?.text).toBe("");
    expect(tree["var/lib/dpkg/info/c.list"]?.text).toBe("/usr/bin/x\n");
  });

  test("writes the package database of a base, with sums of configuration files and triggers", async () => {
    const a = await makePackage("a", {
      control: "Multi-Arch: same\nDescription: x\n y",
      metadata: {
        conffiles: "/etc/a\n",
        triggers: "interest-noawait /usr/x\nactivate y\n",
        postinst: "#!/bin/sh\n",
      },
      files: [{ name: "./etc/a", text: "hello" }],
    });
    const tree = await read([a], { baseArchitecture: "amd64" });
    expect(tree["var/lib/dpkg/status"]?.text).toBe(
      "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nMulti-Arch: same\nDescription: x\n y\n" +
        "Conffiles:\n /etc/a 5d41402abc4b2a76b9719d911017c592\n\n",
    );
    expect(tree["var/lib/dpkg/triggers/File"]?.text).toBe("/usr/x a/noawait\n");
    expect(tree["var/lib/dpkg/info/format"]?.text).toBe("1\n");
    expect(tree["var/lib/dpkg/info/a:amd64.postinst"]).toMatchObject({ mode: 0o755 });
  });

  test("leaves excluded files out with their folders, but not their place in the list", async () => {
    const a = await makePackage("a", {
      files: [
        { name: "./usr/share/doc/a/examples/", type: "directory" },
        { name: "./usr/share/doc/a/examples/one", text: "1" },
        { name: "./usr/share/doc/b", type: "symlink", linkname: "a" },
        { name: "./usr/share/doc/a/", type: "directory" },
        { name: "./usr/share/doc/a/copyright", text: "c" },
        { name: "./usr/share/doc/a/README", text: "r" },
      ],
    });
    const tree = await read([a], { exclude: ["/usr/share/doc/*", "!*/copyright"] });
    expect(Object.keys(tree)).toContain("usr/share/doc/a/copyright");
    expect(Object.keys(tree)).not.toContain("usr/share/doc/a/README");
    expect(Object.keys(tree)).not.toContain("usr/share/doc/a/examples");
    expect(tree["usr/share/doc/b"]).toMatchObject({ type: "symlink", target: "a" });
    expect(tree["var/lib/dpkg/info/a.list"]?.text).toContain("/usr/share/doc/a/README\n");
  });

  test("makes alternatives: the highest priority wins, a missing file gets no link", async () => {
    const a = await makePackage("a", {
      metadata: { postinst: installVi("/usr/bin/a", 10) + installVi("/usr/bin/gone", 99) },
      files: [{ name: "./usr/bin/a", text: "" }],
    });
    const b = await makePackage("b", {
      metadata: { postinst: installVi("/bin/b", 20) },
      files: [{ name: "./usr/bin/b", text: "" }],
    });
    const tree = await read([a, b], { baseArchitecture: "amd64" });
    expect(tree["usr/bin/vi"]).toMatchObject({ type: "symlink", target: "/etc/alternatives/vi" });
    expect(tree["etc/alternatives/vi"]).toMatchObject({ target: "/bin/b" });
    expect(tree).not.toHaveProperty(["etc/alternatives/vi.1"]);
    expect(tree["var/lib/dpkg/alternatives/vi"]?.text).toBe(
      "auto\n/usr/bin/vi\nvi.1\n/usr/share/man/vi.1\n\n/bin/b\n20\n/usr/share/man/b.1\n/usr/bin/a\n10\n/usr/share/man/a.1\n\n",
    );
  });

  test("gives its program to a group that the package's script would make", async () => {
    const master = "root:*:0:0:root:/root:/bin/bash\n";
    const base = await makePackage("base-passwd", {
      files: [
        { name: "./usr/share/base-passwd/passwd.master", text: master },
        { name: "./usr/share/base-passwd/group.master", text: "root:*:0:\n" },
      ],
    });
    const ssh = await makePackage("openssh-client", {
      files: [{ name: "./usr/bin/ssh-agent", mode: 0o755, text: "" }],
    });
    const tree = await read([base, ssh]);
    expect(tree["usr/bin/ssh-agent"]).toMatchObject({ mode: 0o2755, gid: 101 });
    expect(tree["etc/passwd"]?.text).toBe("root:x:0:0:root:/root:/bin/bash\n");
    expect(tree["etc/group"]?.text).toBe("root:x:0:\n_ssh:x:101:\n");
    expect(tree["etc/shadow"]).toMatchObject({ mode: 0o640, gid: 42, text: "root:*::0:99999:7:::\n" });
    expect(tree["etc/gshadow"]?.text).toBe("root:*::\n_ssh:!::\n");
  });

  test.each([
    ["a device", { name: "./dev/x", type: "character-device" }, "ARCHIVE_UNSAFE"],
    ["a path that climbs out", { name: "./../../etc/x", text: "" }, "ARCHIVE_UNSAFE"],
    ["an absolute path", { name: "/etc/x", text: "" }, "ARCHIVE_UNSAFE"],
  ] as const)("refuses a package with %s, and leaves nothing behind", async (_, file, code) => {
    const a = await makePackage("a", { files: [file] });
    await expect(read([a])).rejects.toMatchObject({ code });
    expect(await readdir(join(folder, "tmp"))).toEqual([]);
  });

  test("refuses another package than the locked one, a truncated one, and what is none", async () => {
    const a = await makePackage("a", { files: [] });
    await expect(read([{ ...a, version: "2" }])).rejects.toThrow(
      'holds package "a" 1 amd64, not "a" 2 amd64',
    );
    const bytes = Buffer.from("!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n");
    await writeFile(join(folder, "half.deb"), bytes);
    await expect(read([{ ...a, path: "half.deb" }])).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
    await writeFile(join(folder, "none.deb"), "<html>");
    await expect(read([{ ...a, path: "none.deb" }])).rejects.toMatchObject({ code: "ARCHIVE_INVALID" });
  });
});

function installVi(path: string, priority: number): string {
  return `update-alternatives --install /usr/bin/vi vi ${path} ${priority} --slave /usr/share/man/vi.1 vi.1 /usr/share/man/${path.slice(-1)}.1\n`;
}

interface TreeEntry {
  readonly type: string;
  readonly mode: number;
  readonly gid: number;
  readonly target?: string;
  readonly text?: string;
}

async function read(
  locked: readonly LockedPackage[],
  options: Partial<MaterializePackagesOptions> = {},
): Promise<Record<string, TreeEntry>> {
  const { entries, dispose } = await materializePackages(locked, async ({ path }) => join(folder, path), {
    temporaryFolder: join(folder, "tmp"),
    ...options,
  });
  const tree: Record<string, TreeEntry> = {};
  for (const entry of entries) {
    const { path, type, mode, gid } = entry;
    const target = "target" in entry ? { target: entry.target } : {};
    const text =
      entry.type === "file" ? { text: Buffer.from(await collectBytes(entry.open())).toString() } : {};
    tree[path] = { type, mode, gid, ...target, ...text };
  }
  await dispose();
  return tree;
}

interface PackageParts {
  readonly control?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly files: readonly (Partial<Header> & { readonly name: string; readonly text?: string })[];
}

async function makePackage(
  name: string,
  { control = "", metadata = {}, files }: PackageParts,
): Promise<LockedPackage> {
  const stanza = `Package: ${name}\nVersion: 1\nArchitecture: amd64\n${control}${control === "" ? "" : "\n"}`;
  const members = Object.entries({ control: stanza, ...metadata }).map(([member, text]) => ({
    name: `./${member}`,
    mode: member === "postinst" ? 0o755 : 0o644,
    text,
  }));
  const path = `${name}.deb`;
  await writeFile(
    join(folder, path),
    Buffer.concat([
      Buffer.from("!<arch>\n"),
      arMember("debian-binary", Buffer.from("2.0\n")),
      arMember("control.tar.gz", gzipSync(await makeTar(members))),
      arMember("data.tar.gz", gzipSync(await makeTar(files))),
    ]),
  );
  return { name, version: "1", architecture: "amd64", path, sha256: "", size: 0 };
}

async function makeTar(files: PackageParts["files"]): Promise<Uint8Array> {
  const tar = pack();
  for (const { text = "", ...header } of files) tar.entry(header, text);
  tar.finalize();
  return collectBytes(tar as unknown as AsyncIterable<Uint8Array>);
}

function arMember(name: string, content: Uint8Array): Buffer {
  const size = String(content.byteLength).padEnd(10);
  const header = `${name.padEnd(16)}0           0     0     100644  ${size}\`\n`;
  return Buffer.concat([Buffer.from(header), content, Buffer.alloc(content.byteLength % 2, "\n")]);
}
