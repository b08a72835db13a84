// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { LockedDebian, ToolDefinition } from "../../catalog/index.ts";
import { ToolingError } from "../../core/error.ts";
import type { ProgressEvent } from "../../core/operation.ts";
import type { Platform } from "../../core/platform.ts";
import type { LockedSource, SourceContext, ToolSource } from "../../sources/index.ts";
import {
  type Lockfile,
  planLock,
  type PlanLockOptions,
  type ToolWish,
  type Workspace,
} from "../../workspace/index.ts";
import { findNewerVersions } from "./find-newer.ts";
import { type LockContext, lockWorkspace } from "./lock-workspace.ts";

const BOTH: readonly Platform[] = ["linux/amd64", "linux/arm64"];
const POSITION = { file: "/w/toolbox.yaml", line: 4, column: 3 };

describe("lockWorkspace", () => {
  test("asks each tool's preferred source and fills in what help and checks need", async () => {
    const lock = await relock(workspace());
    expect(lock.tools["jq"]).toMatchObject({
      version: "1.8.1",
      changed: "2026-01-02T03:04:05Z",
      about: { version: { contains: "jq-1.8.1" } },
    });
    expect(lock.base).toMatchObject({ kind: "debian", suite: "trixie" });
    expect(planLock(workspace(), lock)).toMatchObject({ keep: ["jq"], lock: [], stale: false });
  });

  test("an answer that stays the same keeps its date", async () => {
    const lock = await relock(workspace());
    const again = await relock(workspace(), lock, { update: "all" }, { now: "2027-01-01T00:00:00Z" });
    expect(again).toEqual(lock);
  });

  test("update moves the version and the date", async () => {
    const old = await relock(workspace("1.7"), undefined, {}, { versions: ["1.7.1"] });
    const moved = await relock(
      workspace("1.7"),
      old,
      { update: ["jq"] },
      { versions: ["1.7.9", "1.7.1"], now: "2027-01-01T00:00:00Z" },
    );
    expect(moved.tools["jq"]).toMatchObject({ version: "1.7.9", changed: "2027-01-01T00:00:00Z" });
  });

  test("a changed wish that still allows the locked version does not move it", async () => {
    const old = await relock(workspace("1.7"), undefined, {}, { versions: ["1.7.1"] });
    const lock = await relock(workspace("^1.7"), old, {}, { versions: ["1.9.0", "1.7.1"] });
    expect(lock.tools["jq"]?.version).toBe("1.7.1");
  });

  test("a source that cannot answer leaves it to the next one, with a note", async () => {
    const notes: string[] = [];
    const onProgress = (event: ProgressEvent): void =>
      void (event.type === "noted" && notes.push(event.note));
    const lock = await relock(workspace(), undefined, {}, { failing: ["debian"], onProgress });
    expect(lock.tools["jq"]?.platforms["linux/amd64"]?.source).toBe("go");
    expect(notes).toEqual(['source debian: nothing in "*"']);
  });

  test("when none can, the first one's reason stands at the place of the wish", async () => {
    await expect(relock(workspace(), undefined, {}, { failing: ["debian", "go"] })).rejects.toMatchObject({
      code: "VERSION_NOT_FOUND",
      message: 'tool "jq": nothing in "*"',
      position: POSITION,
    });
  });

  test("a tool that one platform lacks is an error at the place of the wish", async () => {
    await expect(relock(workspace(), undefined, {}, { platforms: ["linux/amd64"] })).rejects.toMatchObject({
      code: "PLATFORM_UNAVAILABLE",
      message: 'tool "jq" is not available for linux/arm64',
      position: POSITION,
    });
  });
});

describe("findNewerVersions", () => {
  test("tells what the wish allows from what there is", async () => {
    const lock = await relock(workspace("1.7"), undefined, {}, { versions: ["1.7.1"] });
    const found = await findNewerVersions(
      workspace("1.7"),
      lock,
      contextOf({ versions: ["1.8.1", "1.7.2", "1.7.1"] }),
    );
    expect(found).toEqual([{ name: "jq", locked: "1.7.1", wanted: "1.7.2", latest: "1.8.1", range: "1.7" }]);
    expect(await findNewerVersions(workspace("1.7"), lock, contextOf({ versions: ["1.7.1"] }))).toEqual([]);
  });
});

interface Upstream {
  readonly versions?: readonly string[];
  readonly failing?: readonly string[];
  readonly platforms?: readonly Platform[];
  readonly now?: string;
  readonly onProgress?: (event: ProgressEvent) => void;
}

async function relock(
  wanted: Workspace,
  previous?: Lockfile,
  options: PlanLockOptions = {},
  upstream: Upstream = {},
): Promise<Lockfile> {
  return await lockWorkspace(wanted, previous, planLock(wanted, previous, options), contextOf(upstream));
}

function contextOf(upstream: Upstream): LockContext {
  const now = (): Date => new Date(upstream.now ?? "2026-01-02T03:04:05Z");
  return {
    now,
    onProgress: upstream.onProgress,
    sourceOf: (kind) => sourceFor(kind, upstream),
    sourceContext: { platforms: BOTH, now } as unknown as SourceContext,
    lockDebianBase: async ({ suite, packages }, platforms) => ({
      kind: "debian",
      suite,
      packages,
      platforms: Object.fromEntries(platforms.map((platform) => [platform, []])),
    }),
    resolveImage: async () => ({ digest: `sha256:${"0".repeat(64)}`, platforms: {} }),
  };
}

function sourceFor(
  kind: ToolSource["kind"],
  { versions = ["1.8.1"], failing = [], platforms = BOTH }: Upstream,
): ToolSource {
  return {
    kind,
    listVersions: async () => versions,
    lockTool: async (_definition, _tool, { range }): Promise<LockedSource> => {
      const version = versions.find(
        (each) => range === each || range === "*" || each.startsWith(range.replace("^1.7", "1")),
      );
      if (version === undefined || failing.includes(kind))
        throw new ToolingError("VERSION_NOT_FOUND", `nothing in "${range}"`);
      const answer = { source: kind, packages: [] } as unknown as LockedDebian;
      return { version, platforms: Object.fromEntries(platforms.map((platform) => [platform, answer])) };
    },
    materializeTool: async () => [],
  };
}

function workspace(range = "*"): Workspace {
  const definition: ToolDefinition = {
    name: "jq",
    summary: "JSON",
    homepage: "https://example.com/",
    license: "MIT",
    binaries: ["jq"],
    version: { args: ["--version"], contains: "jq-{{version}}" },
    examples: [],
    sources: [
      { source: "debian", package: "jq" },
      { source: "go", module: "example.com/jq" },
    ],
  };
  const wish: ToolWish = { name: "jq", range, definition, own: false, position: POSITION };
  return {
    file: "/w/toolbox.yaml",
    folder: "/w",
    platforms: BOTH,
    base: { kind: "debian", suite: "trixie", packages: ["bash"] },
    tools: new Map([["jq", wish]]),
    images: new Map([["k8s", { name: "k8s", tools: ["jq"], position: POSITION }]]),
    mirrors: {},
    compression: "gzip",
    positionOf: () => POSITION,
  };
}
