// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { type Dependency, describeChain } from "./package-tree.ts";

/** The error for wishes about one package that exclude each other, with who has them. */
export function dependencyConflict(dependency: Dependency, others: readonly Dependency[]): ToolingError {
  const wishes = [...new Set([dependency, ...others].map(describeWish))].join(", ");
  return unmet(`"${dependency.name}" cannot be had in one version for all: ${wishes}`);
}

/** The error for a dependency that nothing satisfies. */
export function missingDependency(dependency: Dependency, why: string): ToolingError {
  return unmet(`"${dependency.name}" cannot be had: ${why}; ${describeWish(dependency)}`);
}

/** `"a" 1.0.0 > "b" 2.0.0 wants "c@^3"`. */
export function describeWish({ from, name, text, kind }: Dependency): string {
  const beside = kind === "peer" || kind === "peerOptional" ? " beside it" : "";
  return `${describeChain(from)} wants "${name}@${text.replace(/\/\/[^/@]*@/, "//")}"${beside}`;
}

function unmet(message: string): ToolingError {
  return new ToolingError("NPM_DEPENDENCY_UNMET", message, {
    hint: 'Choose another version or source of the tool, or name a version that fits with "requirements" in its definition.',
  });
}
