// SPDX-License-Identifier: Apache-2.0
import {
  type ToolCatalog,
  type ToolDefinition,
  toolDefinitionSchema,
  type YamlPath,
  type YamlText,
} from "../catalog/index.ts";
import type { Platform } from "../core/platform.ts";
import { suggestName } from "../core/suggestion.ts";
import type { Problem } from "./problem.ts";
import { schemaProblems } from "./schema-problems.ts";
import type { DetailedWish, WorkspaceFile } from "./workspace-schema.ts";
import type { ImageWish, ToolWish } from "./workspace.ts";

interface ToolContext {
  readonly catalog: ToolCatalog;
  readonly text: YamlText;
  readonly platforms: readonly Platform[];
  readonly images: ReadonlyMap<string, ImageWish>;
}

/** Every tool that is wished or that an image names, sorted by name; and what is wrong with them. */
export interface ToolWishes {
  readonly tools: ReadonlyMap<string, ToolWish>;
  readonly problems: readonly Problem[];
}

/** Joins the wishes with their definitions. A tool that only an image names is wished in any version. */
export function resolveTools(file: WorkspaceFile, context: ToolContext): ToolWishes {
  const wishes = Object.entries(file.tools ?? {});
  const named = toolItems(file);
  const problems: Problem[] = [];
  const tools = new Map<string, ToolWish>();
  for (const [name, wish] of wishes) {
    const detailed = typeof wish === "string" ? { version: wish } : wish;
    add(name, detailed, ["tools", name], context, { tools, problems });
  }
  const declared = new Set(wishes.map(([name]) => name));
  for (const { name, path } of named) {
    if (declared.has(name)) continue;
    declared.add(name);
    add(name, {}, path, context, { tools, problems, others: wishes.map(([other]) => other) });
  }
  problems.push(...binaryProblems(tools, context, named));
  return { tools: new Map([...tools].toSorted(([a], [b]) => (a < b ? -1 : 1))), problems };
}

interface Collected {
  readonly tools: Map<string, ToolWish>;
  readonly problems: Problem[];
  readonly others?: readonly string[];
}

function add(
  name: string,
  wish: DetailedWish,
  path: YamlPath,
  context: ToolContext,
  collected: Collected,
): void {
  const { text, catalog } = context;
  const own = ownDefinition(name, wish, text);
  if (Array.isArray(own)) {
    collected.problems.push(...(own as readonly Problem[]));
    return;
  }
  const definition = (own as ToolDefinition | undefined) ?? catalog.get(name);
  if (definition === undefined) {
    const candidates = [...catalog.keys(), ...(collected.others ?? [])];
    collected.problems.push({ ...unknownTool(name, candidates), position: text.positionOf(path) });
    return;
  }
  for (const problem of sourceProblems(name, wish, definition, context)) {
    collected.problems.push({ ...problem, position: text.positionOf([...path, "source"]) });
  }
  collected.tools.set(name, {
    name,
    range: wish.version ?? "*",
    source: wish.source,
    definition,
    own: own !== undefined,
    position: text.positionOf(path),
  });
}

/** The definition that the wish itself holds, or what is wrong with it. Absent: the catalog's is meant. */
function ownDefinition(
  name: string,
  wish: DetailedWish,
  text: YamlText,
): ToolDefinition | readonly Problem[] | undefined {
  if (wish.definition !== undefined) {
    const parsed = toolDefinitionSchema.safeParse({ ...wish.definition, name });
    if (parsed.success) return parsed.data;
    const issues = parsed.error.issues.map((issue) => ({
      ...issue,
      path: ["tools", name, "definition", ...issue.path],
    }));
    return schemaProblems(issues, text);
  }
  if (wish.path === undefined) return undefined;
  const binaries = wish.binaries ?? [name];
  return {
    name,
    summary: wish.summary ?? `${name}, a tool of this workspace`,
    homepage: wish.homepage,
    license: wish.license ?? "NOASSERTION",
    binaries,
    version: wish.check ?? { args: ["--version"], contains: binaries[0] ?? name },
    examples: [],
    sources: [{ source: "file", path: wish.path }],
  };
}

function unknownTool(name: string, candidates: readonly string[]): Omit<Problem, "position"> {
  const near = suggestName(name, candidates);
  return {
    code: "TOOL_UNKNOWN",
    message: `tool "${name}" is in neither the catalog nor this file`,
    hint:
      near === undefined
        ? "Run `toolbox tools --catalog` to see all tools, or describe your own under `tools:` with a `definition:`."
        : `Did you mean "${near}"?`,
  };
}

function sourceProblems(
  name: string,
  wish: DetailedWish,
  definition: ToolDefinition,
  { platforms }: ToolContext,
): Omit<Problem, "position">[] {
  const kinds = [...new Set(definition.sources.map(({ source }) => source))];
  if (wish.source !== undefined && !kinds.includes(wish.source)) {
    const hint = `Write one of: ${kinds.join(", ")}; or leave the source out.`;
    return [{ code: "WORKSPACE_INVALID", message: `tool "${name}" has no source "${wish.source}"`, hint }];
  }
  if (wish.path === undefined || typeof wish.path === "string") return [];
  const paths = wish.path;
  const missing = platforms.filter((platform) => paths[platform] === undefined);
  return missing.map((platform) => ({
    code: "PLATFORM_UNAVAILABLE",
    message: `tool "${name}" has no file for ${platform}`,
    hint: `Add a path for ${platform}, or take it out of \`platforms:\`.`,
  }));
}

interface ToolItem {
  readonly name: string;
  readonly image: string;
  readonly path: YamlPath;
}

function toolItems(file: WorkspaceFile): ToolItem[] {
  return Object.entries(file.images ?? {}).flatMap(([image, { tools = [] }]) =>
    tools.map((name, index) => ({ name, image, path: ["images", image, "tools", index] })),
  );
}

/** Two tools of one image must not own the same command. */
function binaryProblems(
  tools: ReadonlyMap<string, ToolWish>,
  { images, text }: ToolContext,
  items: readonly ToolItem[],
): Problem[] {
  const reported = new Set<string>();
  return [...images.values()].flatMap((image) => {
    const owners = new Map<string, string>();
    return image.tools.flatMap((name) =>
      (tools.get(name)?.definition.binaries ?? []).flatMap((binary) => {
        const owner = owners.get(binary);
        if (owner === undefined) owners.set(binary, name);
        const key = `${owner} ${name} ${binary}`;
        if (owner === undefined || reported.has(key)) return [];
        reported.add(key);
        const item = items.find((candidate) => candidate.image === image.name && candidate.name === name);
        return [
          {
            code: "WORKSPACE_INVALID" as const,
            message: `tools "${owner}" and "${name}" of image "${image.name}" both have the command "${binary}"`,
            position: item === undefined ? image.position : text.positionOf(item.path),
            hint: "Keep one of the two in this image.",
          },
        ];
      }),
    );
  });
}
