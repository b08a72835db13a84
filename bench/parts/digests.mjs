// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * Goal 6: the same digest whoever builds, where, and with which Node.js, on the hosts of `npm run sameness` that need no
 * emulator. All of them build for both CPUs.
 */
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { HOSTS } from "../../scripts/sameness/hosts.mjs";
import { runHosts } from "../../scripts/sameness/run-hosts.mjs";
import { QUICK_WORKSPACE } from "../../scripts/sameness/workspaces.mjs";
import { interruption } from "../harness/processes.mjs";

const ROOT = join(import.meta.dirname, "..", "..");

/** @param {import("../parts.mjs").PartContext} context */
export async function measureDigests({ scratch, log }) {
  await chmod(scratch, 0o755);
  const results = await runHosts(
    HOSTS.filter(({ emulated = false }) => !emulated),
    {
      root: ROOT,
      otherRoot: undefined,
      work: scratch,
      workspaces: [QUICK_WORKSPACE],
      compile: false,
      signal: interruption.signal,
      say: log,
    },
  );
  const failed = results.find((result) => result.failed);
  if (failed !== undefined) throw new Error(`${failed.name}: ${failed.reason}`);
  const built = results.flatMap(({ name, built: workspaces }) =>
    workspaces.flatMap(({ digests }) => Object.values(digests).map((digest) => ({ who: name, digest }))),
  );
  return { built, distinct: new Set(built.map(({ digest }) => digest)).size };
}
