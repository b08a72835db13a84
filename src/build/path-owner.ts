// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { LayerRecord } from "./layer-record.ts";

/** A layer and who answers for it in errors. */
export interface OwnedLayer {
  /** Such as `tool "helm"`. */
  readonly owner: string;
  readonly record: Pick<LayerRecord, "files" | "packages">;
}

/**
 * Checks that in one image no two tools own the same path, that no tool needs a directory where another has a
 * file, and that none writes through a symbolic link of the base, which would hide what the link leads to.
 * Debian tools may both bring the same package: equal content of theirs is no conflict.
 *
 * @throws {ToolingError} `PATH_CONFLICT`
 */
export function checkPathOwners(base: Pick<LayerRecord, "files">, tools: readonly OwnedLayer[]): void {
  const owners = new Map<string, OwnedLayer>();
  for (const layer of tools) {
    for (const [path, content] of Object.entries(layer.record.files)) {
      const other = owners.get(path);
      if (other === undefined) owners.set(path, layer);
      else if (!sharePackage(layer, other) || other.record.files[path] !== content) {
        throw conflict(`${other.owner} and ${layer.owner} both own "${path}"`);
      }
    }
  }
  checkParents(base, tools, owners);
}

/** Folder by folder, each once: many paths share their folders. */
function checkParents(
  base: Pick<LayerRecord, "files">,
  tools: readonly OwnedLayer[],
  owners: ReadonlyMap<string, OwnedLayer>,
): void {
  const fine = new Set<string>([""]);
  for (const layer of tools) {
    for (const path of Object.keys(layer.record.files)) {
      for (let parent = parentOf(path); !fine.has(parent); parent = parentOf(parent)) {
        checkParent(parent, path, layer, base, owners.get(parent));
        fine.add(parent);
      }
    }
  }
}

function checkParent(
  parent: string,
  path: string,
  layer: OwnedLayer,
  base: Pick<LayerRecord, "files">,
  other: OwnedLayer | undefined,
): void {
  if (other !== undefined) {
    throw conflict(`${layer.owner} has "${path}", but "${parent}" of ${other.owner} is not a directory`);
  }
  if (Object.hasOwn(base.files, parent)) {
    throw conflict(`${layer.owner} has "${path}", but "${parent}" of the base is not a directory`);
  }
}

function sharePackage(a: OwnedLayer, b: OwnedLayer): boolean {
  return a.record.packages.some((stanza) => b.record.packages.includes(stanza));
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function conflict(message: string): ToolingError {
  return new ToolingError("PATH_CONFLICT", message, {
    hint: "Leave one of them out of the image, or install its file under another path.",
  });
}
