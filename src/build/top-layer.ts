// SPDX-License-Identifier: Apache-2.0
import { type ArchiveEntry, fileEntryOf, sortEntries } from "../archive/index.ts";
import type { Platform } from "../core/platform.ts";
import { isClaimed, mergeClaims } from "../debian/index.ts";
import {
  IMAGE_USER,
  mergeGroup,
  mergeGroupShadow,
  mergeNameSwitch,
  mergePasswd,
  mergeShadow,
} from "./account.ts";
import { formatHelpScript } from "./help-script.ts";
import { formatInventory } from "./image-inventory.ts";
import { describeTool } from "./image-tool.ts";
import type { NamedTool } from "./layer-order.ts";
import type { CapturedFile, LayerRecord } from "./layer-record.ts";
import { isPackageStatus, joinPackageStatus, mergePackageStatus } from "./package-status.ts";
import { completedCommand, formatCompletionStub, formatToolboxBashrc, mergeBashrc } from "./shell-start.ts";

const CAPTURED_PATHS: ReadonlySet<string> = new Set([
  "etc/bash.bashrc",
  "etc/gitconfig",
  "etc/group",
  "etc/gshadow",
  "etc/nsswitch.conf",
  "etc/passwd",
  "etc/shadow",
]);

/** Whether the top layer writes a file of a base anew, and so has to know it. */
export function isCaptured(path: string): boolean {
  return CAPTURED_PATHS.has(path) || isPackageStatus(path) || isClaimed(path);
}

/** What the top layer of one image and platform is made from. */
export interface TopLayerParts {
  readonly image: string;
  readonly platform: Platform;
  /** In the order in which they are shown. */
  readonly tools: readonly NamedTool[];
  readonly base: LayerRecord;
  /** Records of the tool layers, by the names of the tools inside. */
  readonly records: ReadonlyMap<string, LayerRecord>;
}

/** The entries of the layer that lies on top of base and tools: a few kilobytes, made anew for each image. */
export function createTopLayer(parts: TopLayerParts): readonly ArchiveEntry[] {
  return sortEntries([
    ...createFolders(),
    ...createAccounts(parts),
    ...createShellFiles(parts),
    ...createPackageStatus(parts),
    ...createClaimedFiles(parts),
  ]);
}

/** Folders that any uid works in; without an entrypoint nobody could make them fit for one uid. */
function createFolders(): readonly ArchiveEntry[] {
  const owner = { uid: 0, gid: 0 };
  return [
    { type: "directory", path: "work", mode: 0o1777, ...owner },
    { type: "directory", path: "home", mode: 0o755, ...owner },
    { type: "directory", path: IMAGE_USER.home.slice(1), mode: 0o1777, ...owner },
    // Mounts below /root must be reachable for the user of the image; what else is there stays unlisted.
    { type: "directory", path: "root", mode: 0o711, ...owner },
  ];
}

function createAccounts({ base, records }: TopLayerParts): readonly ArchiveEntry[] {
  const { captured } = base;
  const hasNameForAll = [base, ...records.values()].some(({ files }) =>
    Object.keys(files).some((path) => /(?:^|\/)libnss_unknown\.so\.2$/.test(path)),
  );
  const merges: readonly [path: string, merge: (text: string | undefined) => string | undefined][] = [
    ["etc/passwd", mergePasswd],
    ["etc/group", mergeGroup],
    ["etc/shadow", (text) => text && mergeShadow(text)],
    ["etc/gshadow", (text) => text && mergeGroupShadow(text)],
    ["etc/nsswitch.conf", (text) => (hasNameForAll ? mergeNameSwitch(text) : undefined)],
    ["etc/gitconfig", (text) => `${text ?? ""}[safe]\n\tdirectory = /work\n`],
  ];
  return merges.flatMap(([path, merge]) => mergeFile(path, captured, merge));
}

function createShellFiles({ image, platform, tools, base, records }: TopLayerParts): readonly ArchiveEntry[] {
  const described = tools.map(describeTool);
  const owned = (path: string): boolean =>
    [...records.values()].some(({ files }) => Object.hasOwn(files, path));
  const commands = new Map<string, readonly string[]>();
  for (const tool of described) {
    const command = completedCommand(tool);
    if (command !== undefined && tool.bashCompletion !== undefined)
      commands.set(command, tool.bashCompletion);
  }
  const completions = [...commands]
    .map(([command, argv]) => [`usr/share/bash-completion/completions/${command}`, argv] as const)
    .filter(([path]) => !owned(path));
  return [
    fileEntryOf("usr/local/bin/toolbox-help", formatHelpScript(image, described), { mode: 0o755 }),
    fileEntryOf("etc/toolbox/bashrc", formatToolboxBashrc(image, described)),
    fileEntryOf(
      "etc/toolbox/manifest.json",
      formatInventory(image, platform, tools, (name) => records.get(name)),
    ),
    ...mergeFile("etc/bash.bashrc", base.captured, mergeBashrc),
    ...completions.map(([path, argv]) => fileEntryOf(path, formatCompletionStub(argv))),
  ];
}

function createPackageStatus({ base, records }: TopLayerParts): readonly ArchiveEntry[] {
  const added = [...new Set(records.values())].flatMap(({ packages }) => packages);
  if (added.length === 0) return [];
  return mergeFile("var/lib/dpkg/status", base.captured, () =>
    mergePackageStatus(joinPackageStatus(base.captured) ?? "", added),
  );
}

/** Alternatives and triggers of the base and of all tools: whichever layer lies on top, all of them count. */
function createClaimedFiles({ base, records }: TopLayerParts): readonly ArchiveEntry[] {
  const layers = [base, ...new Set(records.values())];
  return mergeClaims(
    layers.flatMap(({ claims = [] }) => claims),
    {
      readText: (path) => {
        const file = Object.hasOwn(base.captured, path) ? base.captured[path] : undefined;
        return file && Buffer.from(file.text, "latin1").toString("utf8");
      },
      kindOf: (path) => {
        const owner = layers.findLast(({ files }) => Object.hasOwn(files, path));
        if (owner === undefined) return undefined;
        return owner.files[path]?.startsWith("link") === true ? "link" : "other";
      },
    },
  );
}

/** The file with its new content, mode and owner kept. Nothing when `merge` gives nothing, or nothing new. */
function mergeFile(
  path: string,
  captured: Readonly<Record<string, CapturedFile>>,
  merge: (text: string | undefined) => string | undefined,
): readonly ArchiveEntry[] {
  const file = Object.hasOwn(captured, path) ? captured[path] : undefined;
  const text = merge(file?.text);
  if (text === undefined || text === "" || text === file?.text) return [];
  const { mode = 0o644, uid = 0, gid = 0 } = file ?? {};
  return [fileEntryOf(path, Buffer.from(text, "latin1"), { mode, uid, gid })];
}
