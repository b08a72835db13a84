// SPDX-License-Identifier: Apache-2.0
import type { SourcePosition } from "../core/error.ts";
import { suggestName } from "../core/suggestion.ts";
import type { Problem } from "./problem.ts";
import { parsePullSize } from "./pull-size.ts";
import type { WorkspaceFile } from "./workspace-schema.ts";
import type { ImageWish, PullBudget } from "./workspace.ts";
import type { YamlText } from "../catalog/index.ts";

/** Images with their parents' tools, parents before children; and what is wrong with their `extends`. */
export interface ImageGraph {
  readonly images: ReadonlyMap<string, ImageWish>;
  readonly problems: readonly Problem[];
}

/** Resolves `extends`: unknown parents and cycles become problems, and such images stand alone. */
export function resolveImages(wishes: NonNullable<WorkspaceFile["images"]>, text: YamlText): ImageGraph {
  const images = new Map<string, ImageWish>();
  const problems: Problem[] = [];
  const own = new Map(Object.entries(wishes));

  const visit = (name: string, trail: readonly string[]): ImageWish | undefined => {
    const done = images.get(name);
    if (done) return done;
    const wish = own.get(name);
    if (wish === undefined) return undefined;
    const parent =
      wish.extends === undefined ? undefined : resolveParent(name, wish.extends, [...trail, name]);
    const image: ImageWish = {
      name,
      extends: parent?.name,
      title: wish.title,
      budget: readBudget(wish.budget, text.positionOfValue(["images", name, "budget"])),
      tools: [...new Set([...(parent?.tools ?? []), ...(wish.tools ?? [])])],
      position: text.positionOf(["images", name]),
    };
    images.set(name, image);
    return image;
  };

  const resolveParent = (name: string, parent: string, trail: readonly string[]): ImageWish | undefined => {
    const position = text.positionOfValue(["images", name, "extends"]);
    const report = (message: string, hint: string): undefined => {
      problems.push({ code: "WORKSPACE_INVALID", message, position, hint });
      return undefined;
    };
    if (!own.has(parent)) {
      const near = suggestName(parent, own.keys());
      const hint =
        near === undefined ? `Images here: ${[...own.keys()].join(", ")}.` : `Did you mean "${near}"?`;
      return report(`image "${name}" extends "${parent}", which is not an image of this file`, hint);
    }
    if (trail.includes(parent)) {
      const circle = [...trail.slice(trail.indexOf(parent)), parent].join(" -> ");
      return report(`images extend each other in a circle: ${circle}`, "Remove one of these `extends`.");
    }
    return visit(parent, trail);
  };

  for (const name of own.keys()) visit(name, []);
  return { images, problems };
}

function readBudget(text: string | undefined, position: SourcePosition): PullBudget | undefined {
  const size = text === undefined ? undefined : parsePullSize(text);
  return size === undefined ? undefined : { size, position };
}
