// SPDX-License-Identifier: Apache-2.0

/**
 * Each folder of `src/`, and the folders it may import. Arrows point down only.
 * A rule that hurts is a question about the design: change it in a commit of its own that says why.
 */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  archive: ["core"],
  catalog: ["core"],
  python: ["core"],
  oci: ["core", "archive"],
  diff: ["core", "archive", "oci"],
  debian: ["core", "archive"],
  workspace: ["core", "catalog"],
  checks: ["core", "catalog"],
  registry: ["core", "oci"],
  sources: ["core", "archive", "catalog", "debian", "oci", "registry"],
  build: ["core", "archive", "catalog", "debian", "oci", "python", "workspace", "sources"],
  session: ["core", "oci", "workspace"],
  engines: ["core", "archive", "oci", "session"],
  cli: [
    "core",
    "archive",
    "catalog",
    "oci",
    "diff",
    "debian",
    "workspace",
    "checks",
    "registry",
    "sources",
    "build",
    "session",
    "engines",
  ],
};

/**
 * Parts of a folder with a front door of their own, because who needs one part should not load the other: who only
 * pulls no server, who only locks no packer.
 */
export const INNER_DOORS: readonly string[] = ["build/lock", "registry/client", "registry/server"];
