// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { ToolingError } from "../../core/error.ts";
import { parseReference } from "../../oci/index.ts";
import {
  checkWorkspaceText,
  digestWishes,
  type LockedUse,
  type Lockfile,
  setUse,
  writeLockfile,
} from "../../workspace/index.ts";
import type { Command, CommandContext, CommandInput } from "../command.ts";
import { FROZEN_OPTION, isFrozen } from "../frozen.ts";
import { formatSize } from "../measure.ts";
import { requireOperands, textOption } from "../option-value.ts";
import { planUpgrade, type UpgradeEnd, type UpgradePlan } from "../plan-upgrade.ts";
import { countReleases, describeToolChange } from "../tool-changes.ts";
import { openShippedCatalog, readWorkspaceFiles, type WorkspaceFiles } from "../workspace-files.ts";

/** `toolbox upgrade` */
export const upgradeCommand: Command = {
  summary: "Move the image that the workspace uses to what its tag stands for now",
  usage: "[REF]",
  details: [
    "For workspaces with `use:`. Shows which tools change and what there is to download, then moves toolbox.lock.",
    "(The tools of images that a workspace builds itself are moved by `toolbox update`.)",
    "toolbox.yaml changes only with --to (or REF, the same image with another tag), and only where its tag is a",
    "version that the new one is not. Comments stay.",
  ],
  options: {
    ...FROZEN_OPTION,
    to: { type: "string", value: "TAG|DIGEST", summary: "Move to this instead, forward or back" },
    "dry-run": { type: "boolean", summary: "Show what would change, but write nothing" },
  },
  examples: [
    { command: "toolbox upgrade --dry-run", summary: "which tools would change" },
    { command: "toolbox upgrade", summary: "take it; the next command runs the new image" },
    { command: "toolbox upgrade --to 1.5.0", summary: "a release that toolbox.yaml does not name yet" },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, { most: 1 });
    const files = await readWorkspaceFiles(context);
    const { lock, use } = requireUse(files);
    const to = readTarget(operands[0], textOption(options, "to"), use.reference);
    const plan = await planOnline({ use, platforms: lock.platforms, to }, context);
    show(plan, context);
    const applies = plan.changed && options["dry-run"] !== true;
    if (applies) {
      if (isFrozen(options, context)) throw frozenError(files.place.lockFile);
      await applyUpgrade(plan, { ...files, lock });
      context.note("toolbox.lock pins it now; commit it. The next command fetches what is missing.");
    }
    context.printJson(reportOf(plan, files, options));
    return 0;
  },
};

/**
 * The image that is used, with a lock that answers toolbox.yaml.
 *
 * @throws {ToolingError} `COMMAND_USAGE`, `LOCK_MISSING`, `LOCK_STALE`
 */
function requireUse({ place, workspace, lock }: WorkspaceFiles): { lock: Lockfile; use: LockedUse } {
  if (workspace.use === undefined) {
    throw new ToolingError("COMMAND_USAGE", `"${place.file}" has no \`use:\`, so there is no image to move`, {
      hint:
        workspace.images.size > 0 || workspace.tools.size > 0
          ? "Run `toolbox update` to move the tools of the images that it builds, then `toolbox build`."
          : "Write `use: REF` into it, then run `toolbox lock`.",
    });
  }
  if (lock === undefined) {
    throw new ToolingError("LOCK_MISSING", `"${place.lockFile}" does not exist`, {
      hint: "Run `toolbox lock`: it pins what the tag stands for now.",
    });
  }
  if (lock.use !== undefined && lock.workspace === digestWishes(workspace)) return { lock, use: lock.use };
  throw new ToolingError("LOCK_STALE", `"${place.lockFile}" does not answer toolbox.yaml`, {
    hint: "Run `toolbox lock` first.",
  });
}

/** What REF and --to ask for. Absent: neither says. */
function readTarget(operand: string | undefined, to: string | undefined, used: string): string | undefined {
  if (operand === undefined) return to;
  const [wanted, own] = [parseReference(operand), parseReference(used)];
  if (wanted.registry !== own.registry || wanted.repository !== own.repository) {
    throw new ToolingError("COMMAND_USAGE", `"${operand}" is not the image that this workspace uses`, {
      hint: `It uses ${used}. To use another one, change \`use:\` in toolbox.yaml and run \`toolbox lock\`.`,
    });
  }
  const named = wanted.digest ?? wanted.tag;
  if (named === undefined || to === undefined || named === to) return named ?? to;
  throw new ToolingError("COMMAND_USAGE", `"${operand}" and --to ${to} are two different wishes`, {
    hint: "Write one of them.",
  });
}

async function planOnline(
  request: Parameters<typeof planUpgrade>[0],
  context: CommandContext,
): Promise<UpgradePlan> {
  try {
    return await planUpgrade(request, context, { signal: context.signal });
  } catch (error) {
    if (!(error instanceof ToolingError) || error.code !== "REGISTRY_UNREACHABLE") throw error;
    throw new ToolingError(error.code, error.message, {
      hint: `${error.hint ?? ""} Nothing was changed: the image that is pinned runs as before.`.trimStart(),
      cause: error,
    });
  }
}

/** toolbox.yaml comes first: should the lock not follow, `toolbox lock` sees that and finishes the work. */
async function applyUpgrade(
  { reference, use }: UpgradePlan,
  { place, lock }: Pick<WorkspaceFiles, "place"> & { readonly lock: Lockfile },
): Promise<void> {
  if (use.reference === reference) {
    await writeLockfile(place.lockFile, { ...lock, use });
    return;
  }
  const text = await setUse(await readFile(place.file, "utf8"), place.file, use.reference);
  const workspace = await checkWorkspaceText(text, place.file, { catalog: await openShippedCatalog() });
  await writeFileAtomically(place.file, text);
  await writeLockfile(place.lockFile, { ...lock, use, workspace: digestWishes(workspace) });
}

function show(plan: UpgradePlan, context: CommandContext): void {
  const { reference, from, to, use, changed, isHeld } = plan;
  const { print, note } = context;
  const hasMoved = from.digest !== to.digest;
  if (hasMoved) showNews(plan, context);
  else if (!changed) print(`${reference} is up to date${to.release === undefined ? "" : ` (${to.release})`}`);
  if (changed && use.reference !== reference) print(`toolbox.yaml: use: ${reference} -> ${use.reference}`);
  showNewer(plan, context);
  if (isHeld && hasMoved)
    note("toolbox.yaml names the digest, so nothing moves by itself: say where to with --to TAG.");
}

function showNews(
  { reference, from, to, releases = 0, tools, download }: UpgradePlan,
  { print }: CommandContext,
): void {
  const count = releases > 0 ? `, ${countReleases(releases)}` : "";
  print(`${reference}: ${nameEnd(from)} -> ${nameEnd(to)}${count}`);
  if (tools === undefined) print("  which tools change is not known, because not both images tell");
  else if (tools.length === 0) print("  the same tools");
  for (const change of tools ?? []) print(`  ${describeToolChange(change)}`);
  print(`  to download: ${formatSize(download)}`);
}

/** What only --to takes: the tag of toolbox.yaml does not stand for it. */
function showNewer({ newer }: UpgradePlan, { note }: CommandContext): void {
  const [latest] = newer;
  if (latest === undefined) return;
  const named = `${newer.slice(0, 3).join(", ")}${newer.length > 3 ? ", ..." : ""}`;
  note(`newer releases: ${named}; \`toolbox upgrade --to ${latest}\` takes that one.`);
}

/** The release where one is known, else the start of the digest. */
function nameEnd({ digest, release }: UpgradeEnd): string {
  return release ?? digest.slice(0, "sha256:".length + 12);
}

function reportOf(
  plan: UpgradePlan,
  { place }: WorkspaceFiles,
  options: CommandInput["options"],
): Readonly<Record<string, unknown>> {
  const { reference, from, to, use, releases, tools, download, newer, changed, isHeld } = plan;
  return {
    file: place.lockFile,
    reference,
    from,
    to: { ...to, reference: use.reference },
    changed,
    held: isHeld,
    dryRun: options["dry-run"] === true,
    releases,
    tools,
    download,
    newer,
  };
}

function frozenError(file: string): ToolingError {
  return new ToolingError("LOCK_FROZEN", `"${file}" would change, and --frozen forbids that`, {
    hint: "Run `toolbox upgrade` where CI is not set, then commit toolbox.lock; --dry-run only looks.",
  });
}
