// SPDX-License-Identifier: Apache-2.0
import type { Platform } from "../../core/platform.ts";
import type { MarkerEnvironment } from "./marker.ts";

/** The Python of an image: what wheels must fit. Never the one of this machine. */
export interface TargetPython {
  readonly platform: Platform;
  /** Such as `3.13.5`. */
  readonly version: string;
  /** Major and minor number, such as `[3, 13]`. */
  readonly series: readonly [number, number];
  /** Version of the C library, such as `[2, 41]`. */
  readonly glibc: readonly [number, number];
}

const MACHINES: Readonly<Record<Platform, string>> = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" };
/** The oldest C library that a wheel for the CPU can have been made for (PEP 600). */
const OLDEST_GLIBC: Readonly<Record<Platform, number>> = { "linux/amd64": 5, "linux/arm64": 17 };
/** Names from before PEP 600, by the minor version of the C library that they stand for. */
const OLD_PLATFORMS: Readonly<Record<number, string>> = {
  5: "manylinux1",
  12: "manylinux2010",
  17: "manylinux2014",
};
/** The first Python 3 that had a stable interface for extensions (PEP 384). */
const FIRST_STABLE_ABI = 2;

/** Writes a series as tags and folders have it: `3.13`. */
export function formatSeries({ series }: Pick<TargetPython, "series">): string {
  return series.join(".");
}

/**
 * All wheel tags that a target accepts, best first, in the order of PEP 425 as pip has it: compiled for this very
 * Python, for the stable interface of this and older ones, then pure Python.
 */
export function listTargetTags(target: TargetPython): readonly string[] {
  const [major, minor] = target.series;
  const platforms = listPlatforms(target);
  const own = `cp${major}${minor}`;
  const older = range(minor - 1, FIRST_STABLE_ABI).map((number) => `cp${major}${number}`);
  const pure = [
    `py${major}${minor}`,
    `py${major}`,
    ...range(minor - 1, 0).map((number) => `py${major}${number}`),
  ];
  const on = (head: string): readonly string[] => platforms.map((platform) => `${head}-${platform}`);
  return [
    ...on(`${own}-${own}`),
    ...on(`${own}-abi3`),
    ...on(`${own}-none`),
    ...older.flatMap((python) => on(`${python}-abi3`)),
    ...pure.flatMap((python) => on(`${python}-none`)),
    `${own}-none-any`,
    ...pure.map((python) => `${python}-none-any`),
  ];
}

/** What markers see on a target. Its kernel is not known, so what asks for it sees nothing. */
export function describeEnvironment(target: TargetPython): MarkerEnvironment {
  return {
    implementation_name: "cpython",
    implementation_version: target.version,
    os_name: "posix",
    platform_machine: MACHINES[target.platform],
    platform_python_implementation: "CPython",
    platform_release: "",
    platform_system: "Linux",
    platform_version: "",
    python_full_version: target.version,
    python_version: formatSeries(target),
    sys_platform: "linux",
  };
}

function listPlatforms({ platform, glibc: [major, minor] }: TargetPython): readonly string[] {
  const machine = MACHINES[platform];
  const names = range(minor, OLDEST_GLIBC[platform]).flatMap((number) => {
    const old = OLD_PLATFORMS[number];
    return [`manylinux_${major}_${number}`, ...(old === undefined ? [] : [old])];
  });
  return [...names, "linux"].map((name) => `${name}_${machine}`);
}

/** From `first` down to `last`, both included. */
function range(first: number, last: number): readonly number[] {
  return Array.from({ length: Math.max(0, first - last + 1) }, (_, index) => first - index);
}
