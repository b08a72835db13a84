// SPDX-License-Identifier: Apache-2.0
import type { ToolChange } from "../workspace/index.ts";
import type { ImageToolLine } from "./image-tools.ts";
import { formatSize } from "./measure.ts";

/** How an image differs from the one that a workspace uses. */
export interface ImageNews {
  /** Releases that came out since. Absent: not known, because the tags do not tell. */
  readonly releases?: number | undefined;
  /** By name. Absent: one of the two images does not say which tools it holds. */
  readonly tools?: readonly ToolChange[] | undefined;
  /** Bytes of compressed layers and configs that are not at hand. */
  readonly download: number;
}

/** Tools named in {@link describeNews}; a line has to stay a line. */
const NAMED = 2;

/** What became of each tool, sorted by name. A tool that is as it was is left out. */
export function diffTools(before: readonly ImageToolLine[], after: readonly ImageToolLine[]): ToolChange[] {
  const old = versionsOf(before);
  const now = versionsOf(after);
  const names = [...new Set([...old.keys(), ...now.keys()])].toSorted();
  return names.flatMap((name): ToolChange[] => {
    const from = old.get(name);
    const to = now.get(name);
    if (from === to) return [];
    if (from === undefined) return [{ name, kind: "added", to }];
    if (to === undefined) return [{ name, kind: "removed", from }];
    return [{ name, kind: "updated", from, to }];
  });
}

/** One change for people: `helm 3.18.4 -> 3.19.0`, `yq 4.45.1 added`, `kind 0.29.0 removed`. */
export function describeToolChange({ name, kind, from, to }: ToolChange): string {
  return kind === "updated" ? `${name} ${from ?? ""} -> ${to ?? ""}` : `${name} ${to ?? from ?? ""} ${kind}`;
}

/** All of it in one line: `2 releases behind: helm 3.18.4 -> 3.19.0, +14.2 MB`. */
export function describeNews(reference: string, { releases, tools, download }: ImageNews): string {
  const subject =
    releases === undefined || releases < 1 ? `${reference} has moved` : `${countReleases(releases)} behind`;
  const details = [
    ...(tools === undefined ? [] : describeFew(tools)),
    ...(download > 0 ? [`+${formatSize(download)}`] : []),
  ];
  return details.length === 0 ? subject : `${subject}: ${details.join(", ")}`;
}

/** `1 release`, `2 releases`. */
export function countReleases(count: number): string {
  return count === 1 ? "1 release" : `${count} releases`;
}

function describeFew(changes: readonly ToolChange[]): string[] {
  if (changes.length === 0) return ["the same tools"];
  const more = changes.length - NAMED;
  const named = changes.slice(0, NAMED).map(describeToolChange);
  return more > 0 ? [...named, `${more} more ${more === 1 ? "tool" : "tools"}`] : named;
}

/** A name that is listed twice has the version that is listed last, as the later layer has the last word. */
function versionsOf(tools: readonly ImageToolLine[]): ReadonlyMap<string, string> {
  return new Map(tools.map(({ name, version }) => [name, version]));
}
