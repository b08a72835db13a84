// SPDX-License-Identifier: Apache-2.0
import type { Command } from "./command.ts";

/** One row of the table: enough for the program's help, without loading the command. */
export interface CommandEntry {
  readonly group: "using" | "making" | "shipping" | "registries";
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** All verbs. A name of two words is a command of a group. Loaded on demand, so that `--help` stays cheap. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  run: {
    group: "using",
    summary: "Run a command in the image (also: toolbox CMD...)",
    load: async () => (await import("./commands/run.ts")).runCommand,
  },
  shell: {
    group: "using",
    summary: "Open an interactive shell in the image",
    load: async () => (await import("./commands/shell.ts")).shellCommand,
  },
  up: {
    group: "using",
    summary: "Keep a container warm, so that the next commands start at once",
    load: async () => (await import("./commands/up.ts")).upCommand,
  },
  exec: {
    group: "using",
    summary: "Run a command in the warm container only",
    load: async () => (await import("./commands/exec.ts")).execCommand,
  },
  ps: {
    group: "using",
    summary: "List warm containers",
    load: async () => (await import("./commands/ps.ts")).psCommand,
  },
  logs: {
    group: "using",
    summary: "Show what warm containers say",
    load: async () => (await import("./commands/logs.ts")).logsCommand,
  },
  down: {
    group: "using",
    summary: "Stop warm containers",
    load: async () => (await import("./commands/down.ts")).downCommand,
  },
  "shims install": {
    group: "using",
    summary: "Put tools on PATH that start in the image without toolbox",
    load: async () => (await import("./commands/shims-install.ts")).shimsInstallCommand,
  },
  "shims remove": {
    group: "using",
    summary: "Take shims away",
    load: async () => (await import("./commands/shims-remove.ts")).shimsRemoveCommand,
  },
  "shims list": {
    group: "using",
    summary: "List the shims of a folder",
    load: async () => (await import("./commands/shims-list.ts")).shimsListCommand,
  },
  alias: {
    group: "using",
    summary: "Print the shell alias or Makefile target for colleagues without toolbox",
    load: async () => (await import("./commands/alias.ts")).aliasCommand,
  },
  tools: {
    group: "using",
    summary: "List the tools of the workspace, of an image, or of the catalog",
    load: async () => (await import("./commands/tools.ts")).toolsCommand,
  },
  upgrade: {
    group: "using",
    summary: "Move the image that the workspace uses, and show what changes in it",
    load: async () => (await import("./commands/upgrade.ts")).upgradeCommand,
  },
  pull: {
    group: "using",
    summary: "Fetch an image into the local store",
    load: async () => (await import("./commands/pull.ts")).pullCommand,
  },
  doctor: {
    group: "using",
    summary: "Look for what keeps commands from running, and say how to cure it",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  bundle: {
    group: "using",
    summary: "Write a runtime-spec bundle of a session, for runc, crun and the like",
    load: async () => (await import("./commands/bundle.ts")).bundleCommand,
  },
  init: {
    group: "making",
    summary: "Write a toolbox.yaml",
    load: async () => (await import("./commands/init.ts")).initCommand,
  },
  add: {
    group: "making",
    summary: "Add tools to toolbox.yaml",
    load: async () => (await import("./commands/add.ts")).addCommand,
  },
  lock: {
    group: "making",
    summary: "Resolve toolbox.yaml to toolbox.lock",
    load: async () => (await import("./commands/lock.ts")).lockCommand,
  },
  outdated: {
    group: "making",
    summary: "Show which locked tools have newer versions",
    load: async () => (await import("./commands/outdated.ts")).outdatedCommand,
  },
  update: {
    group: "making",
    summary: "Move locked tools to the newest wished versions",
    load: async () => (await import("./commands/update.ts")).updateCommand,
  },
  build: {
    group: "making",
    summary: "Build the images of the workspace",
    load: async () => (await import("./commands/build.ts")).buildCommand,
  },
  test: {
    group: "making",
    summary: "Run every tool of an image, on each platform",
    load: async () => (await import("./commands/test.ts")).testCommand,
  },
  diff: {
    group: "making",
    summary: "Show how two images differ, from the tools down to the byte",
    load: async () => (await import("./commands/diff.ts")).diffCommand,
  },
  publish: {
    group: "shipping",
    summary: "Push built images to a registry",
    load: async () => (await import("./commands/publish.ts")).publishCommand,
  },
  "image inspect": {
    group: "registries",
    summary: "Show what an image is, without pulling it",
    load: async () => (await import("./commands/image-inspect.ts")).imageInspectCommand,
  },
  "image copy": {
    group: "registries",
    summary: "Copy an image between registries, layouts, archives and engines",
    load: async () => (await import("./commands/image-copy.ts")).imageCopyCommand,
  },
  "image sync": {
    group: "registries",
    summary: "Bring a repository or a list of images into step with another place",
    load: async () => (await import("./commands/image-sync.ts")).imageSyncCommand,
  },
  "image tags": {
    group: "registries",
    summary: "List the tags of a repository",
    load: async () => (await import("./commands/image-tags.ts")).imageTagsCommand,
  },
  "image delete": {
    group: "registries",
    summary: "Delete a tag or an image from a registry",
    load: async () => (await import("./commands/image-delete.ts")).imageDeleteCommand,
  },
  "image verify": {
    group: "registries",
    summary: "Check that a store or a registry's folder is whole",
    load: async () => (await import("./commands/image-verify.ts")).imageVerifyCommand,
  },
  "artifact push": {
    group: "registries",
    summary: "Push files to a registry as an artifact",
    load: async () => (await import("./commands/artifact-push.ts")).artifactPushCommand,
  },
  "artifact pull": {
    group: "registries",
    summary: "Fetch the files of an artifact",
    load: async () => (await import("./commands/artifact-pull.ts")).artifactPullCommand,
  },
  "artifact attach": {
    group: "registries",
    summary: "Push files as an artifact about an image",
    load: async () => (await import("./commands/artifact-attach.ts")).artifactAttachCommand,
  },
  "artifact list": {
    group: "registries",
    summary: "List what is attached to an image",
    load: async () => (await import("./commands/artifact-list.ts")).artifactListCommand,
  },
  "artifact tree": {
    group: "registries",
    summary: "Show what is attached to an image, and to that",
    load: async () => (await import("./commands/artifact-tree.ts")).artifactTreeCommand,
  },
  "registry serve": {
    group: "registries",
    summary: "Serve a folder as a registry",
    load: async () => (await import("./commands/registry-serve.ts")).registryServeCommand,
  },
  "registry gc": {
    group: "registries",
    summary: "Free what no image of a registry's folder needs",
    load: async () => (await import("./commands/registry-gc.ts")).registryGcCommand,
  },
  completion: {
    group: "using",
    summary: "Print a completion script for bash, zsh or fish",
    load: async () => (await import("./commands/completion.ts")).completionCommand,
  },
};

/** What the program starts itself with. Not for people, so it is in no help and no completion. */
const INTERNAL_COMMANDS: Readonly<Record<string, CommandEntry>> = {
  "freshness-check": {
    group: "using",
    summary: "Look whether the image that the workspace uses has moved",
    load: async () => (await import("./commands/freshness-check.ts")).freshnessCheckCommand,
  },
};

/** A command found in the table, and what follows its name. */
export interface FoundCommand {
  readonly name: string;
  readonly entry: CommandEntry;
  readonly words: readonly string[];
}

/** Looks up one or two leading words. Absent: the first word is not a verb. */
export function findCommand(words: readonly string[]): FoundCommand | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const table = [COMMANDS, INTERNAL_COMMANDS].find((commands) => Object.hasOwn(commands, name));
    const entry = words.length >= length ? table?.[name] : undefined;
    if (entry !== undefined) return { name, entry, words: words.slice(length) };
  }
  return undefined;
}

/** The second words of a group such as `registry`. Empty: there is no such group. */
export function membersOf(group: string): string[] {
  const prefix = `${group} `;
  return Object.keys(COMMANDS).flatMap((name) =>
    name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
  );
}
