// SPDX-License-Identifier: Apache-2.0
import { realpath } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { dirname, join } from "node:path";
import { withFileLock } from "../../core/file-lock.ts";
import { readRunLock, requireWorkspace, type RunLock } from "../../workspace/index.ts";
import type { Command, CommandContext } from "../command.ts";
import { freshnessFile, keepAnswer } from "../freshness.ts";
import { openRepository, wantedOf } from "../registry-access.ts";
import { parseReference } from "../../oci/index.ts";
import { requireOperands } from "../option-value.ts";
import { planUpgrade } from "../plan-upgrade.ts";
import { describeNews } from "../tool-changes.ts";

/** Milliseconds for all questions together; a registry that is slower than this is asked again later. */
const TIMEOUT = 15_000;
/** Milliseconds after which the process ends whatever holds it. */
const LAST_RESORT = 20_000;

/** `toolbox freshness-check`, which `toolbox CMD` starts in the background */
export const freshnessCheckCommand: Command = {
  summary: "Look whether the image that the workspace uses has moved, for the next command to tell",
  usage: "",
  details: ["Says nothing, whatever happens: nobody asked for it."],
  options: {},
  examples: [{ command: "toolbox freshness-check", summary: "what runs in the background once a day" }],
  async run({ operands }, context) {
    requireOperands(operands, {});
    setTimeout(() => process.exit(1), LAST_RESORT).unref();
    // Not AbortSignal.any() over AbortSignal.timeout(): Node.js 20 collects that as garbage before it fires.
    const limit = new AbortController();
    const stop = (): void => limit.abort(context.signal.reason);
    context.signal.addEventListener("abort", stop, { once: true });
    setTimeout(stop, TIMEOUT).unref();
    try {
      setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
      await check({ ...context, signal: limit.signal });
    } catch {
      // Offline, slow, refused, damaged: a note that does not come is all that may come of it.
    }
    return 0;
  },
};

async function check(context: CommandContext): Promise<void> {
  const { signal, paths, start } = context;
  const place = await requireWorkspace(start);
  const lock = await readRunLock(place.lockFile);
  const { use } = lock;
  if (use === undefined) return;
  const file = freshnessFile(paths.state, await realpath(place.folder), use.reference);
  // One at a time on this machine; whoever comes second leaves it to a later command.
  await withFileLock(join(dirname(file), "check.lock"), { timeout: 50, signal }, async () => {
    const news = await findNews(use, lock, context);
    await keepAnswer(file, { pinned: use.digest, news }, Date.now());
  });
}

/** One line about what has come out. Absent: the tag stands for what is pinned. */
async function findNews(
  use: NonNullable<RunLock["use"]>,
  { platforms }: RunLock,
  context: CommandContext,
): Promise<string | undefined> {
  const { signal } = context;
  const reference = parseReference(use.reference);
  const repository = await openRepository(reference, context);
  const { digest } = await repository.resolveManifest(wantedOf(reference), { signal });
  if (digest === use.digest) return undefined;
  return describeNews(use.reference, await planUpgrade({ use, platforms }, context, { signal }));
}
