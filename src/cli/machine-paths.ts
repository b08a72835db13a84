// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from "node:path";

/** Where this product keeps things on this machine. All absolute. */
export interface MachinePaths {
  /** OCI layout with everything built and pulled. */
  readonly store: string;
  /** Downloads and compiled tools; may be deleted at any time. */
  readonly cache: string;
  /** Homes and warm sessions. */
  readonly state: string;
  /** The user's settings. */
  readonly config: string;
}

/** XDG base directories, with `TOOLBOX_STORE` and `TOOLBOX_CACHE` before them. */
export function machinePaths(env: Readonly<Record<string, string | undefined>>, home: string): MachinePaths {
  const folder = (name: string, fallback: string): string => {
    const set = env[name];
    // The XDG specification says to ignore relative paths.
    return join(set?.startsWith("/") === true ? set : join(home, fallback), "toolbox");
  };
  const own = (name: string, fallback: string): string => {
    const set = env[name];
    return set === undefined || set === "" ? fallback : resolve(set);
  };
  return {
    store: own("TOOLBOX_STORE", join(folder("XDG_DATA_HOME", ".local/share"), "store")),
    cache: own("TOOLBOX_CACHE", folder("XDG_CACHE_HOME", ".cache")),
    state: folder("XDG_STATE_HOME", ".local/state"),
    config: folder("XDG_CONFIG_HOME", ".config"),
  };
}
