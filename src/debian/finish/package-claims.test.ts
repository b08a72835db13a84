// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { ArchiveEntry } from "../../archive/index.ts";
import { collectBytes } from "../../core/byte-stream.ts";
import type { AlternativeCall } from "./alternative-call.ts";
import { type ImageFiles, mergeClaims, type PackageClaims } from "./package-claims.ts";

describe("claims of several layers", () => {
  test("are merged with the base's alternatives: the highest priority wins, whichever layer it is in", async () => {
    const layers = [claimOf(awk("/usr/bin/gawk", 10)), claimOf(awk("/usr/bin/busy-awk", 1))];
    const tree = await treeOf(mergeClaims(layers, BASE));
    expect(await treeOf(mergeClaims(layers.toReversed(), BASE))).toEqual(tree);
    expect(tree["var/lib/dpkg/alternatives/awk"]).toBe(
      "auto\n/usr/bin/awk\nnawk\n/usr/bin/nawk\n\n" +
        "/usr/bin/busy-awk\n1\n/usr/bin/busy-awk\n/usr/bin/gawk\n10\n/usr/bin/gawk\n/usr/bin/mawk\n5\n/usr/bin/mawk\n\n",
    );
    expect(tree["usr/bin/awk"]).toBe("-> /etc/alternatives/awk");
    expect(tree["etc/alternatives/awk"]).toBe("-> /usr/bin/gawk");
    expect(tree["etc/alternatives/nawk"]).toBe("-> /usr/bin/gawk");
  });

  test("leave what somebody chose", async () => {
    const manual = { ...BASE, readText: (path: string) => BASE.readText(path)?.replace("auto", "manual") };
    const tree = await treeOf(mergeClaims([claimOf(awk("/usr/bin/gawk", 10))], manual));
    expect(Object.keys(tree)).toEqual(["var/lib/dpkg/alternatives/awk"]);
    expect(tree["var/lib/dpkg/alternatives/awk"]).toContain("manual\n");
  });

  test("make no link over a program, and none to a file that was left out", async () => {
    const call = { ...awk("/usr/bin/gawk", 10), link: "/usr/bin/mawk", name: "other" };
    const gone = { ...awk("/usr/bin/gone", 1), name: "gone" };
    const tree = await treeOf(mergeClaims([claimOf(call, gone)], BASE));
    expect(Object.keys(tree).filter((path) => path.startsWith("usr/"))).toEqual(["usr/bin/nawk"]);
    expect(tree).not.toHaveProperty(["etc/alternatives/gone"]);
  });

  test("add to the triggers that the base waits for, each once", async () => {
    const triggers = [
      { file: "File", line: "/usr/share/fonts fontconfig" },
      { file: "texmf-map", line: "tex-common" },
    ];
    const claims: PackageClaims[] = [
      { alternatives: [], triggers },
      { alternatives: [], triggers },
    ];
    expect(await treeOf(mergeClaims(claims, BASE))).toEqual({
      "var/lib/dpkg/triggers/File": "/etc/x base/noawait\n/usr/share/fonts fontconfig\n",
      "var/lib/dpkg/triggers/texmf-map": "tex-common\n",
    });
  });
});

const BASE_TEXT: Readonly<Record<string, string>> = {
  "var/lib/dpkg/alternatives/awk":
    "auto\n/usr/bin/awk\nnawk\n/usr/bin/nawk\n\n/usr/bin/mawk\n5\n/usr/bin/mawk\n\n",
  "var/lib/dpkg/triggers/File": "/etc/x base/noawait\n",
};

const PROGRAMS = ["usr/bin/mawk", "usr/bin/gawk", "usr/bin/busy-awk"];

const BASE: ImageFiles = {
  readText: (path) => BASE_TEXT[path],
  kindOf: (path) => {
    if (path === "usr/bin/awk" || path === "usr/bin/nawk") return "link";
    return PROGRAMS.includes(path) ? "other" : undefined;
  },
};

function awk(path: string, priority: number): AlternativeCall {
  const slaves = [{ link: "/usr/bin/nawk", name: "nawk", path }];
  return { link: "/usr/bin/awk", name: "awk", path, priority, slaves };
}

function claimOf(...alternatives: readonly AlternativeCall[]): PackageClaims {
  return { alternatives, triggers: [] };
}

async function treeOf(entries: readonly ArchiveEntry[]): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of entries) {
    if (entry.type === "symlink") tree[entry.path] = `-> ${entry.target}`;
    if (entry.type === "file")
      tree[entry.path] = Buffer.from(await collectBytes(entry.open())).toString("utf8");
  }
  return tree;
}
