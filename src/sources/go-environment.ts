// SPDX-License-Identifier: Apache-2.0
import { delimiter, join } from "node:path";
import type { Platform } from "../core/platform.ts";
import { architectureOf } from "../core/platform.ts";
import { makeFolder } from "../core/make-folder.ts";
import type { SourceContext } from "./tool-source.ts";

/** Where the go commands that we run keep their things, below the cache folder. */
export interface GoFolders {
  readonly modules: string;
  readonly objects: string;
  readonly toolchains: string;
  readonly home: string;
  readonly work: string;
}

/** Folders of the go source. Nothing of the user's own Go is read or written. */
export function goFolders(cacheDir: string): GoFolders {
  const top = join(cacheDir, "go");
  return {
    modules: join(top, "mod"),
    objects: join(top, "build"),
    toolchains: join(top, "toolchains"),
    home: join(top, "home"),
    work: join(top, "work"),
  };
}

/** What of the machine's environment a go command that downloads may see. */
const PASSED: readonly string[] = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "NETRC",
  "SSH_AUTH_SOCK",
  "GIT_SSL_CAINFO",
];

/**
 * The environment of a go command that downloads modules: the machine's mirrors, proxies, CA and PATH (for
 * version control programs, where a module comes `direct`), but our own toolchain and folders.
 */
export async function downloadEnvironment(
  goroot: string,
  context: SourceContext,
): Promise<Record<string, string>> {
  const passed = PASSED.map((name) => [name, context.env[name]] as const).filter(
    ([, value]) => value !== undefined,
  );
  return {
    ...Object.fromEntries(passed as [string, string][]),
    ...(await context.mirrors.goSettings()),
    ...(await ownEnvironment(goroot, context)),
    PATH: [join(goroot, "bin"), context.env["PATH"] ?? ""].join(delimiter),
    HOME: context.env["HOME"] ?? goFolders(context.cacheDir).home,
  };
}

/** The environment of a go command that compiles: nothing of the machine's, and no network. */
export async function compileEnvironment(
  goroot: string,
  platform: Platform,
  context: SourceContext,
): Promise<Record<string, string>> {
  return {
    ...(await ownEnvironment(goroot, context)),
    ...targetEnvironment(platform),
    GOPROXY: "off",
    GOSUMDB: "off",
    PATH: join(goroot, "bin"),
    HOME: goFolders(context.cacheDir).home,
  };
}

/** The CPU to compile for, at the level that every machine of that kind has. */
export function targetEnvironment(platform: Platform): Record<string, string> {
  return { GOOS: "linux", GOARCH: architectureOf(platform), GOAMD64: "v1", GOARM64: "v8.0" };
}

async function ownEnvironment(goroot: string, { cacheDir }: SourceContext): Promise<Record<string, string>> {
  const folders = goFolders(cacheDir);
  await Promise.all(Object.values(folders).map((folder: string) => makeFolder(folder)));
  return {
    GOROOT: goroot,
    GOPATH: join(folders.home, "go"),
    GOMODCACHE: folders.modules,
    GOCACHE: folders.objects,
    GOTMPDIR: folders.work,
    GOTOOLCHAIN: "local",
    GOENV: "off",
    // The module cache can be removed like any other folder.
    GOFLAGS: "-modcacherw",
    GOWORK: "off",
    GO111MODULE: "on",
    GOEXPERIMENT: "",
    GODEBUG: "",
    CGO_ENABLED: "0",
    LC_ALL: "C",
    TZ: "UTC",
  };
}
