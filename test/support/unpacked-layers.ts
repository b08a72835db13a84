// SPDX-License-Identifier: Apache-2.0
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { outputOf, type ProgramResult, runProgram } from "./programs.ts";
import type { ReportedImage } from "./programs-toolbox.ts";

/** An image of a store as a root file system on disk, which `chroot` can enter. Needs root. */
export interface UnpackedLayers {
  readonly root: string;
  /** Runs a shell script inside, as root, in mounts of its own. */
  readonly run: (script: string) => Promise<ProgramResult>;
  /** What a script prints. Throws when it fails. */
  readonly inside: (script: string) => Promise<string>;
}

/** Unpacks the layers of an image's first platform into `root` with tar(1), one over the other. */
export async function unpackLayers(
  image: ReportedImage | undefined,
  store: string,
  root: string,
): Promise<UnpackedLayers> {
  await mkdir(root, { recursive: true });
  for (const { digest } of image?.platforms[0]?.layers ?? []) {
    const blob = join(store, "blobs", digest.replace(":", "/"));
    await outputOf("tar", ["-xzpf", blob, "-C", root, "--numeric-owner"]);
  }
  const mounts =
    'mount --bind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive chroot "$0" sh -c "$1"';
  const run = async (script: string): Promise<ProgramResult> =>
    runProgram("unshare", ["--mount", "--", "sh", "-c", mounts, root, script]);
  return {
    root,
    run,
    inside: async (script) => {
      const { code, stdout, stderr } = await run(script);
      if (code !== 0) throw new Error(`${script}: exit ${code}: ${stdout}${stderr}`);
      return stdout;
    },
  };
}
