// SPDX-License-Identifier: Apache-2.0
import { existsSync } from "node:fs";
import { copyFile, chmod, mkdir, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { hasPrograms, makeFolder, outputOf } from "./programs.ts";

/** A server that is built out of a module whose go.mod only counts where that module is the main one. */
interface ServerRecipe {
  readonly module: string;
  readonly version: string;
  readonly package: string;
  /** The version of what the module replaces with folders of its own repository. */
  readonly published: string;
  /** Variables that the linker sets. */
  readonly stamps: Readonly<Record<string, string>>;
}

const SERVERS = {
  etcd: {
    module: "go.etcd.io/etcd/server/v3",
    version: "v3.6.4",
    package: "go.etcd.io/etcd/server/v3",
    published: "v3.6.4",
    stamps: {},
  },
  "kube-apiserver": {
    module: "k8s.io/kubernetes",
    version: "v1.34.4",
    package: "k8s.io/kubernetes/cmd/kube-apiserver",
    published: "v0.34.4",
    stamps: {
      "k8s.io/component-base/version.gitVersion": "v1.34.4",
      "k8s.io/component-base/version.gitMajor": "1",
      "k8s.io/component-base/version.gitMinor": "34",
    },
  },
} as const satisfies Readonly<Record<string, ServerRecipe>>;

/** Programs that {@link prepareServer} builds. */
export type ServerName = keyof typeof SERVERS;

/** What of `go mod edit -json` is copied. */
interface GoModFile {
  readonly Go?: string;
  readonly Godebug?: readonly { readonly Key: string; readonly Value: string }[];
  readonly Require?: readonly (GoModTarget & { readonly Indirect?: boolean })[];
  readonly Exclude?: readonly GoModTarget[];
  /** A folder as `New` has no version. */
  readonly Replace?: readonly { readonly Old: GoModTarget; readonly New: GoModTarget }[];
}

interface GoModTarget {
  readonly Path: string;
  readonly Version?: string;
}

/** Whether {@link prepareServer} can work here. */
export function canBuildServers(): boolean {
  return hasPrograms("go", "nice");
}

/**
 * Builds a server of a cluster from the module proxy of this machine, once, and gives its path. The first time takes
 * many minutes: it compiles more than a thousand packages, politely.
 */
export async function prepareServer(name: ServerName): Promise<string> {
  const recipe: ServerRecipe = SERVERS[name];
  const folder = join(homedir(), ".cache", "toolbox-test", "programs", `${name}-${recipe.version}`);
  const program = join(folder, name);
  if (existsSync(program)) return program;
  const work = await makeFolder(`build-${name}`);
  try {
    await writeMainModule(work.path, recipe);
    const stamps = Object.entries(recipe.stamps).map(([variable, value]) => `-X ${variable}=${value}`);
    const flags = ["-p=2", "-mod=mod", "-trimpath", "-buildvcs=false", `-ldflags=-s -w ${stamps.join(" ")}`];
    const built = join(work.path, name);
    await outputOf("nice", ["-n", "10", "go", "build", ...flags, "-o", built, recipe.package], {
      cwd: work.path,
      env: { CGO_ENABLED: "0", GOFLAGS: "", GOMAXPROCS: "2", GOWORK: "off" },
      timeout: 3_600_000,
    });
    await mkdir(folder, { recursive: true });
    // Beside its place first: a copy that is cut short must not pass for the program.
    const arriving = join(folder, basename(work.path));
    await copyFile(built, arriving);
    await rename(arriving, program);
    return program;
  } finally {
    await work.remove();
  }
}

/** A main module that requires and replaces what the server's module does when it builds itself. */
async function writeMainModule(folder: string, recipe: ServerRecipe): Promise<void> {
  const target = `${recipe.module}@${recipe.version}`;
  const options = { cwd: folder, timeout: 900_000 };
  const module = JSON.parse(await outputOf("go", ["mod", "download", "-json", target], options)) as {
    readonly Dir: string;
  };
  const file = JSON.parse(
    await outputOf("go", ["mod", "edit", "-json", join(module.Dir, "go.mod")], options),
  ) as GoModFile;
  await writeFile(join(folder, "go.mod"), formatMainModule(recipe, file));
  await copyFile(join(module.Dir, "go.sum"), join(folder, "go.sum"));
  // The module cache is read-only, and so is what is copied out of it; the sums of the module itself come on top.
  await chmod(join(folder, "go.sum"), 0o644);
}

function formatMainModule({ module, version, published }: ServerRecipe, file: GoModFile): string {
  const lines = ["module judge", `go ${file.Go ?? "1.24"}`, `require ${module} ${version}`];
  for (const { Key, Value } of file.Godebug ?? []) lines.push(`godebug ${Key}=${Value}`);
  for (const { Indirect, ...required } of file.Require ?? []) {
    lines.push(`require ${pair(required)}${Indirect === true ? " // indirect" : ""}`);
  }
  for (const excluded of file.Exclude ?? []) lines.push(`exclude ${pair(excluded)}`);
  lines.push(...replacements(file, published));
  return `${lines.join("\n")}\n`;
}

function replacements({ Replace = [], Require = [] }: GoModFile, published: string): string[] {
  const required = new Set(Require.map(({ Path }) => Path));
  return Replace.flatMap(({ Old, New }) => {
    if (New.Version !== undefined) return [`replace ${pair(Old)} => ${pair(New)}`];
    // A folder of the repository that nothing requires only guards its authors against a mistake.
    return required.has(Old.Path) ? [`replace ${pair(Old)} => ${Old.Path} ${published}`] : [];
  });
}

function pair({ Path, Version }: GoModTarget): string {
  return Version === undefined ? Path : `${Path} ${Version}`;
}
