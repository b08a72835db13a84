// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LockedTool, ToolDefinition } from "../catalog/index.ts";
import { diffLockfiles } from "./diff-lockfiles.ts";
import type { Lockfile } from "./lockfile.ts";
import { parseLockfile } from "./parse-lockfile.ts";
import { parseWorkspace } from "./parse-workspace.ts";
import { changesLock, digestWishes, lockedFlavours, lockedWish, planLock } from "./plan-lock.ts";
import {
  formatLockfile,
  readLockfile,
  readLockfileIfPresent,
  readRunLock,
  writeLockfile,
} from "./read-lockfile.ts";
import type { Workspace } from "./workspace.ts";

const YAML = `base: { debian: trixie, packages: [bash] }
tools: { jq: "^1.7", yq: { version: "*", source: debian } }
images: { k8s: { tools: [jq, yq] } }
`;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-lock-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("planLock", () => {
  test("without a lock everything is new", () => {
    expect(planLock(workspace(), undefined)).toMatchObject({ keep: [], base: "lock", stale: true });
  });

  test("a lock that answers the wishes stays as it is", () => {
    const plan = planLock(workspace(), lockOf(workspace()));
    expect(plan).toEqual({
      keep: ["jq", "yq"],
      lock: [],
      remove: [],
      base: "keep",
      use: "none",
      stale: false,
    });
    expect(changesLock(plan)).toBe(false);
  });

  test("only the tool whose wish changed is locked again", () => {
    const changed = workspace(YAML.replace("^1.7", "^1.8"));
    const plan = planLock(changed, lockOf(workspace()));
    expect(plan).toMatchObject({ keep: ["yq"], lock: [{ name: "jq", reason: "wish-changed" }], stale: true });
    expect(changesLock(plan)).toBe(true);
  });

  test("update moves the named tools and leaves the rest", () => {
    const plan = planLock(workspace(), lockOf(workspace()), { update: ["yq"] });
    expect(plan).toMatchObject({ keep: ["jq"], lock: [{ name: "yq", reason: "update" }], base: "keep" });
  });

  test("update of everything moves the base too", () => {
    expect(planLock(workspace(), lockOf(workspace()), { update: "all" })).toMatchObject({
      keep: [],
      base: "lock",
    });
  });

  test("another base keeps versions but resolves Debian tools again", () => {
    const plan = planLock(workspace(YAML.replace("[bash]", "[bash, git]")), lockOf(workspace()));
    expect(plan.base).toBe("lock");
    expect(plan.lock).toEqual([
      { name: "jq", reason: "base-changed", pinned: "1.7.1" },
      { name: "yq", reason: "base-changed", pinned: "1.7.1" },
    ]);
  });

  test("a tool that lacks a platform is locked again at its version", () => {
    const lock = lockOf(workspace());
    const jq: LockedTool = {
      ...tool("jq"),
      platforms: { "linux/amd64": { source: "debian", packages: [] } },
    };
    const plan = planLock(workspace(), { ...lock, tools: { ...lock.tools, jq } });
    expect(plan.lock).toEqual([{ name: "jq", reason: "platforms-changed", pinned: "1.7.1" }]);
  });

  test("a tool that is no longer wished goes", () => {
    const plan = planLock(
      workspace(YAML.replace("tools: [jq, yq]", "tools: [jq]").replace(/, yq: \{.*?\}/, "")),
      lockOf(workspace()),
    );
    expect(plan.remove).toEqual(["yq"]);
  });

  test("mirrors do not make a lock stale", () => {
    expect(digestWishes(workspace(`${YAML}mirrors: { debian: x }\n`))).toBe(digestWishes(workspace()));
  });
});

describe("toolbox.lock", () => {
  test("reads back what was written, the same bytes each time", async () => {
    const file = join(folder, "toolbox.lock");
    const lock = lockOf(workspace());
    await writeLockfile(file, lock);
    const again = await readLockfile(file);
    expect(formatLockfile(again)).toBe(formatLockfile(lock));
    expect(diffLockfiles(lock, again).same).toBe(true);
  });

  test("running reads programs and images without the whole check", async () => {
    const file = join(folder, "run.lock");
    await writeLockfile(file, lockOf(workspace()));
    const run = await readRunLock(file);
    expect(run.binaries.get("jq")).toBe("jq");
    expect(run.images["k8s"]?.tools).toEqual(["jq", "yq"]);
  });

  test("a missing lock is absent, or an error that says how to make it", async () => {
    const file = join(folder, "none.lock");
    expect(await readLockfileIfPresent(file)).toBeUndefined();
    await expect(readLockfile(file)).rejects.toMatchObject({
      code: "LOCK_MISSING",
      hint: expect.stringContaining("toolbox lock"),
    });
  });

  test.each([
    ["cut short", '{\n  "lockVersion": 1,\n', "not valid JSON"],
    ["with merge conflict markers", '{\n<<<<<<< ours\n"a": 1\n=======\n>>>>>>> theirs\n}', "merge conflict"],
    ["with a key twice", '{"lockVersion":1,"lockVersion":1}', "twice"],
    ["with __proto__", '{"lockVersion":1,"__proto__":{}}', "__proto__"],
    ["from the future", '{"lockVersion":7}', "newer"],
    ["without a version", "{}", "lockVersion"],
    ["that is a list", "[]", "not a JSON object"],
  ])("refuses a lock %s", async (_, text, message) => {
    const file = join(folder, "bad.lock");
    await writeFile(file, text);
    for (const read of [readLockfile, readRunLock]) {
      await expect(read(file)).rejects.toMatchObject({
        code: "LOCK_INVALID",
        message: expect.stringContaining(message),
        position: { file },
      });
    }
  });

  test("refuses an image whose tool is not locked", () => {
    const lock = lockOf(workspace());
    const text = formatLockfile({ ...lock, images: { k8s: { tools: ["gone"] } } });
    expect(() => parseLockfile(text, "toolbox.lock")).toThrow('tool "gone", which is not locked');
  });
});

describe("diffLockfiles", () => {
  test("names what happened to each tool", () => {
    const before = lockOf(workspace());
    const { yq: _, ...rest } = before.tools;
    const after = {
      ...before,
      tools: { ...rest, jq: { ...tool("jq"), version: "1.8.1" }, helm: tool("helm") },
    };
    expect(diffLockfiles(before, after)).toMatchObject({
      tools: [
        { name: "helm", kind: "added", to: "1.7.1" },
        { name: "jq", kind: "updated", from: "1.7.1", to: "1.8.1" },
        { name: "yq", kind: "removed", from: "1.7.1" },
      ],
      baseChanged: false,
      same: false,
    });
  });
});

function workspace(text: string = YAML): Workspace {
  const catalog = new Map(["jq", "yq"].map((name) => [name, definition(name)]));
  return parseWorkspace(text, "/w/toolbox.yaml", { catalog });
}

function lockOf(wanted: Workspace): Lockfile {
  const names = [...wanted.tools.keys()];
  return {
    lockVersion: 1,
    workspace: digestWishes(wanted),
    platforms: wanted.platforms,
    base: {
      kind: "debian",
      suite: "trixie",
      packages: ["bash"],
      platforms: { "linux/amd64": [], "linux/arm64": [] },
    },
    compression: "gzip",
    tools: Object.fromEntries(names.map((name) => [name, tool(name)])),
    wishes: Object.fromEntries([...wanted.tools.values()].map((wish) => [wish.name, lockedWish(wish)])),
    images: lockedFlavours(wanted),
    session: wanted.session,
  };
}

function tool(name: string): LockedTool {
  const { sources: _, name: __, ...about } = definition(name);
  const answer = { source: "debian" as const, packages: [] };
  return {
    name,
    version: "1.7.1",
    changed: "2026-01-01T00:00:00Z",
    about,
    platforms: { "linux/amd64": answer, "linux/arm64": answer },
  };
}

function definition(name: string): ToolDefinition {
  return {
    name,
    summary: name,
    homepage: "https://example.com/",
    license: "MIT",
    binaries: [name],
    version: { args: ["--version"], contains: "x" },
    examples: [],
    sources: [{ source: "debian", package: name }],
  };
}
