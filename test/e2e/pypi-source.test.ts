// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LockedPypi } from "../../src/catalog/index.ts";
import { machineClients } from "../../src/cli/machine-clients.ts";
import { openDispatcher } from "../../src/cli/machine-network.ts";
import type { Platform } from "../../src/core/platform.ts";
import { createMirrors, openToolSource, type SourceContext } from "../../src/sources/index.ts";
import { createFetcher } from "../../src/sources/fetcher.ts";
import { evaluateMarker, parseMarker } from "../../src/sources/pypi/marker.ts";
import { parseSpecifiers, satisfiesSpecifiers } from "../../src/sources/pypi/specifier.ts";
import {
  describeEnvironment,
  listTargetTags,
  type TargetPython,
} from "../../src/sources/pypi/target-python.ts";
import { comparePythonVersions, parsePythonVersion } from "../../src/sources/pypi/version.ts";
import { hasPrograms, makeFolder, outputOf, ROOT, type TemporaryFolder } from "../support/programs.ts";
import { pythonSpecifiers, pythonVersions } from "../support/python-versions.ts";

const ARM: TargetPython = { platform: "linux/arm64", version: "3.13.5", series: [3, 13], glibc: [2, 41] };
const MARKERS = [
  "python_version >= '3.8' and platform_machine == 'aarch64'",
  "python_full_version < '3.13.5' or extra == 'socks-5'",
  "python_full_version == '3.13.*' and sys_platform != 'win32'",
  "'3.9' <= python_version",
  "platform_machine in 'x86_64 aarch64'",
  "platform_machine not in 'x86_64 aarch64'",
  "os_name == 'nt' or implementation_name == 'cpython' and python_version < '3'",
  "(os_name == 'nt' or implementation_name == 'cpython') and python_version ~= '3.2'",
  "platform_python_implementation == 'CPython' and platform_system == 'Linux'",
];

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await makeFolder("pypi");
});
afterAll(async () => folder?.remove());

describe.runIf(hasPrograms("python3", "pip"))("pip is the judge:", () => {
  test("versions, specifiers, markers and tags mean the same to both", async () => {
    const orders = fc.sample(fc.tuple(pythonVersions, pythonVersions), { numRuns: 3000, seed: 440 });
    // What PEP 440 forbids, older pips still read in a way of their own.
    const contains = fc.sample(fc.tuple(pythonSpecifiers, pythonVersions), { numRuns: 3000, seed: 440 });
    const environment = { ...describeEnvironment(ARM), extra: "socks-5" };
    const platforms = [...new Set(listTargetTags(ARM).map((tag) => tag.split("-")[2]))].filter(
      (name) => name !== "any",
    );
    const questions = {
      orders,
      contains,
      environment,
      markers: MARKERS,
      target: { series: ARM.series, platforms },
    };
    const file = join(folder.path, "questions.json");
    await writeFile(file, JSON.stringify(questions));
    const judge = join(ROOT, "test", "support", "packaging-judge.py");
    const answers = JSON.parse(await outputOf("python3", [judge, file])) as Record<
      string,
      readonly unknown[]
    >;
    expect(
      orders
        .map(([a, b], index) => [a, b, orderOf(a, b) === answers["orders"]?.[index]])
        .filter((line) => line[2] === false),
    ).toEqual([]);
    expect(
      contains
        .map(([text, version], index) => [text, version, isIn(text, version), answers["contains"]?.[index]])
        .filter((line) => line[2] !== null && line[2] !== line[3]),
    ).toEqual([]);
    expect(MARKERS.map((text) => holds(text, environment))).toEqual(answers["markers"]);
    expect(listTargetTags(ARM)).toEqual(answers["tags"]);
    // The samples must ask something: both answers come up often.
    expect(answers["contains"]?.filter((answer) => answer === true).length).toBeGreaterThan(100);
    expect(answers["contains"]?.filter((answer) => answer === false).length).toBeGreaterThan(500);
  });

  test.each(["yamllint", "pre-commit"])(
    "the closure of %s is the one that pip chooses, wheel by wheel, on both CPUs",
    async (project) => {
      // pip reads markers by its own Python, so the target is given that one.
      const own = (
        await outputOf("python3", ["-c", "import platform; print(platform.python_version())"])
      ).trim();
      const context = await openContext(own);
      const source = await openToolSource("pypi");
      const definition = { source: "pypi", package: project } as const;
      const { platforms } = await source.lockTool(
        definition,
        { name: project, binaries: [project] },
        { range: "*" },
        context,
      );
      for (const platform of context.platforms) {
        const { wheels } = platforms[platform] as LockedPypi;
        expect(wheels.map(({ name }) => name).toSorted()).toEqual(
          await askPip(project, targetOf(platform, own)),
        );
      }
    },
  );
});

async function askPip(project: string, target: TargetPython): Promise<readonly string[]> {
  const names = new Set(listTargetTags(target).map((tag) => tag.split("-")[2] ?? ""));
  names.delete("any");
  const report = join(folder.path, "report.json");
  await outputOf("pip", [
    "install",
    "--quiet",
    "--dry-run",
    "--ignore-installed",
    "--report",
    report,
    "--target",
    join(folder.path, "nothing"),
    "--only-binary=:all:",
    "--python-version",
    target.version,
    ...[...names].flatMap((name) => ["--platform", name]),
    project,
  ]);
  const urls = JSON.parse(
    await outputOf("python3", [
      "-c",
      `import json; print(json.dumps([i["download_info"]["url"] for i in json.load(open(${JSON.stringify(report)}))["install"]]))`,
    ]),
  ) as readonly string[];
  return urls.map((url) => decodeURIComponent(url.slice(url.lastIndexOf("/") + 1))).toSorted();
}

function targetOf(platform: Platform, version: string): TargetPython {
  const [major = 3, minor = 0] = version.split(".").map(Number);
  return { platform, version, series: [major, minor], glibc: [2, 36] };
}

async function openContext(python: string): Promise<SourceContext> {
  const cacheDir = join(folder.path, "cache");
  const installed = ["amd64", "arm64"].map((architecture) => [
    { name: "python3", version: `${python}-1`, architecture },
    { name: "libc6", version: "2.36-9", architecture },
  ]);

  const { signal } = new AbortController();
  return {
    cacheDir,
    fetchFile: createFetcher({ cacheDir, dispatcher: await openDispatcher(process.env), now: readClock }),
    mirrors: createMirrors({
      env: process.env,
      clients: machineClients({ env: process.env, cwd: "/", signal, goDefaults: unused }),
    }),
    platforms: ["linux/amd64", "linux/arm64"],
    openBase: async () => ({
      suite: "trixie",
      packages: { "linux/amd64": installed[0] ?? [], "linux/arm64": installed[1] ?? [] },
    }),
    host: { os: "linux", arch: "amd64" },
    env: {},
    toolchains: [],
    now: readClock,
    workspaceDir: folder.path,
  };
}

function unused(): never {
  throw new Error("no Go is needed for Python");
}

function readClock(): Date {
  return new Date();
}

function orderOf(a: string, b: string): number | null {
  const [left, right] = [parsePythonVersion(a), parsePythonVersion(b)];
  return left === undefined || right === undefined ? null : Math.sign(comparePythonVersions(left, right));
}

function isIn(specifiers: string, version: string): boolean | null {
  const [clauses, parsed] = [parseSpecifiers(specifiers), parsePythonVersion(version)];
  return clauses === undefined || parsed === undefined ? null : satisfiesSpecifiers(parsed, clauses);
}

function holds(text: string, environment: Readonly<Record<string, string>>): boolean | undefined {
  const marker = parseMarker(text);
  return marker && evaluateMarker(marker, environment);
}
