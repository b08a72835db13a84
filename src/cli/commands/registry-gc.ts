// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from "node:path";
import { ToolingError } from "../../core/error.ts";
import { collectRegistryGarbage } from "../../registry/server/index.ts";
import type { Command } from "../command.ts";
import { formatSize } from "../measure.ts";
import { requireOperands, textOption } from "../option-value.ts";

/** `toolbox registry gc` */
export const registryGcCommand: Command = {
  summary: "Free what no image of a registry's folder needs",
  usage: "",
  details: [
    "For a folder that nobody serves now: a running `toolbox registry serve` does it every hour by itself.",
  ],
  options: {
    store: { type: "string", value: "DIR", summary: "Default: the folder that `registry serve` uses" },
    grace: {
      type: "string",
      value: "TIME",
      summary: "Keep what was used since, as in 90s, 30m, 12h or 7d. Default: 24h",
    },
    "dry-run": { type: "boolean", summary: "Show what would be freed" },
  },
  examples: [{ command: "toolbox registry gc --dry-run", summary: "how much there is to free" }],
  async run({ operands, options }, { cwd, paths, signal, print, printJson }) {
    requireOperands(operands, {});
    const folder = resolve(cwd, textOption(options, "store") ?? join(paths.store, "..", "registry"));
    const grace = parseDuration(textOption(options, "grace") ?? "24h");
    const dryRun = options["dry-run"] === true;
    const report = await collectRegistryGarbage(folder, { grace, dryRun, signal });
    const { removed, freed, unlinked } = report;
    print(
      `${folder}: ${removed} blobs ${dryRun ? "to free" : "freed"}, ${formatSize(freed)}; ${unlinked} let go of`,
    );
    printJson({ folder, dryRun, ...report });
    return 0;
  },
};

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function parseDuration(text: string): number {
  const [, count, unit = "s"] = /^(\d{1,9})([smhd])?$/.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (UNITS[unit] ?? 1000);
  throw new ToolingError("COMMAND_USAGE", `--grace is "${text}"`, {
    hint: "Write a number and s, m, h or d, as in 12h.",
  });
}
