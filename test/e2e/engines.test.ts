// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outputOf } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { canRunPodman, type OwnPodman, preparePodman } from "../support/programs-podman.ts";
import { canRunArm64 } from "../support/programs-qemu.ts";
import { QUICKSTART } from "../support/programs-toolbox.ts";
import { type PublishedImage, publishQuickstart } from "../support/published-image.ts";

/** How to ask each tool for its version, and what its answer must hold: as the lock says. */
const QUESTIONS = readVersionChecks(join(QUICKSTART, "toolbox.lock"));
const PLATFORMS = canRunArm64()
  ? ["linux/amd64", "linux/arm64"]
  : [`linux/${process.arch === "arm64" ? "arm64" : "amd64"}`];

let image: PublishedImage;
beforeAll(async () => {
  image = await publishQuickstart();
});
afterAll(async () => image?.remove());

describe.runIf(canStartDocker())("docker", () => {
  let docker: RunningDocker;
  beforeAll(async () => {
    docker = await startDocker();
  });
  afterAll(async () => docker?.stop());

  test.each(PLATFORMS)(
    "pulls the %s image by digest, and every tool in it tells its version",
    async (platform) => {
      const { env } = docker;
      const reference = `${image.repository}@${image.manifestOf(platform)}`;
      await outputOf("docker", ["pull", "--quiet", "--platform", platform, reference], { env });
      for (const { argv, contains } of QUESTIONS) {
        const said = await outputOf(
          "docker",
          ["run", "--rm", "--network", "none", "--platform", platform, reference, ...argv],
          { env },
        );
        expect(said).toContain(contains);
      }
    },
  );
});

describe.runIf(canRunPodman())("podman", () => {
  let podman: OwnPodman;
  beforeAll(async () => {
    podman = await preparePodman();
  });
  afterAll(async () => podman?.remove());

  test.each(PLATFORMS)(
    "pulls the %s image out of the index, and every tool in it tells its version",
    async (platform) => {
      const reference = `${image.repository}@${image.digest}`;
      await outputOf("podman", [
        ...podman.globals,
        "pull",
        "--quiet",
        "--tls-verify=false",
        "--platform",
        platform,
        reference,
      ]);
      for (const { argv, contains } of QUESTIONS) {
        const said = await outputOf("podman", [
          ...podman.globals,
          "run",
          "--rm",
          "--pull=never",
          "--platform",
          platform,
          ...podman.runFlags,
          reference,
          ...argv,
        ]);
        expect(said).toContain(contains);
      }
    },
  );
});

// Without qemu the questions above are asked of one platform; where CI=true that is not enough.
test.runIf(canRunArm64())("arm64 programs run on this machine", () => {
  expect(PLATFORMS).toContain("linux/arm64");
});

interface VersionQuestion {
  readonly argv: readonly string[];
  readonly contains: string;
}

function readVersionChecks(lockFile: string): readonly VersionQuestion[] {
  const { tools } = JSON.parse(readFileSync(lockFile, "utf8")) as {
    tools: Record<string, { about: { binaries: string[]; version: { args: string[]; contains: string } } }>;
  };
  return Object.values(tools).map(({ about: { binaries, version } }) => ({
    argv: [...binaries.slice(0, 1), ...version.args],
    contains: version.contains,
  }));
}
