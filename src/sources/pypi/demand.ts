// SPDX-License-Identifier: Apache-2.0
import type { Requirement } from "./requirement.ts";
import { formatSpecifiers, type Specifier } from "./specifier.ts";

/** A release on the way from the tool to a demand. */
export interface DemandStep {
  /** A project, or `project[extra]`. */
  readonly node: string;
  readonly version: string;
}

/** One thing that must be there, and who says so. */
export interface Demand {
  /** A project, or `project[extra]`. */
  readonly node: string;
  readonly specifiers: readonly Specifier[];
  /** An address to take it from, which no index can satisfy. Absent: the index. */
  readonly url?: string | undefined;
  /** From the wished project to the one that demands; empty: the tool itself does. */
  readonly path: readonly DemandStep[];
}

/** The demands of a requirement: the project, and each of its extras. */
export function listDemands(
  { project, extras, specifiers, url }: Requirement,
  path: readonly DemandStep[],
): readonly Demand[] {
  return [project, ...extras.map((extra) => `${project}[${extra}]`)].map((node) => ({
    node,
    specifiers,
    url,
    path,
  }));
}

/** The project of a node. */
export function projectOf(node: string): string {
  const bracket = node.indexOf("[");
  return bracket < 0 ? node : node.slice(0, bracket);
}

/** Says who demands what: `"requests" 2.32.0 (for "cli" 1.0) wants "idna<4"`. */
export function describeDemand({ node, specifiers, path }: Demand): string {
  const wish = `wants "${node}${formatSpecifiers(specifiers)}"`;
  const [nearest, ...others] = path.toReversed();
  if (nearest === undefined) return `the tool itself ${wish}`;
  const chain = others.map((step) => `"${step.node}" ${step.version}`).join(" for ");
  return `"${nearest.node}" ${nearest.version}${chain === "" ? "" : ` (for ${chain})`} ${wish}`;
}
