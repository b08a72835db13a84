// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, type ProgramResult, type RunProgramOptions } from "./programs.ts";
import { runToolbox } from "./programs-toolbox.ts";

/** A workspace of its own with a store of its own; downloads are shared with everybody. */
export interface SmallWorkspace {
  readonly path: string;
  readonly store: string;
  /** What makes a `toolbox` that a test starts by itself use this workspace's store and state. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (file: string, content: string | Uint8Array) => Promise<void>;
  readonly toolbox: (args: readonly string[], options?: RunProgramOptions) => Promise<ProgramResult>;
  /** What must not change when a command fails: the lock, what the store names, and that nothing half-done lies about. */
  readonly visible: () => VisibleState;
  readonly remove: () => Promise<void>;
}

/** See {@link SmallWorkspace.visible}. */
export interface VisibleState {
  readonly lock: string | undefined;
  readonly index: string | undefined;
  readonly leftovers: readonly string[];
}

/** Makes an empty workspace. */
export async function makeWorkspace(): Promise<SmallWorkspace> {
  const folder = await makeFolder("workspace");
  const path = join(folder.path, "work");
  const store = join(folder.path, "store");
  await mkdir(path);
  const own = { CI: undefined, TOOLBOX_STORE: store, XDG_STATE_HOME: join(folder.path, "state") };
  return {
    path,
    store,
    env: own,
    write: async (file, content) => {
      await writeFile(join(path, file), content);
      await chmod(join(path, file), 0o755);
    },
    toolbox: async (args, options = {}) =>
      runToolbox(args, {
        cwd: path,
        ...options,
        env: { ...own, ...options.env },
      }),
    visible: () => ({
      lock: readIfThere(join(path, "toolbox.lock")),
      index: readIfThere(join(store, "index.json")),
      leftovers: [...leftoversIn(path), ...leftoversIn(store)],
    }),
    remove: folder.remove,
  };
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Files that only a write in progress may have. */
export function leftoversIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    /(?:^|\/)(?:\.tmp-[^/]*|ingest\/.+)$|\.(?:tmp|partial)$/.test(path),
  );
}
