// SPDX-License-Identifier: Apache-2.0
import { dirname } from "node:path";
import { parseYamlText, type ToolCatalog, type YamlText } from "../catalog/index.ts";
import { PLATFORMS } from "../core/platform.ts";
import { shortenCompression } from "./compression.ts";
import { resolveImages } from "./image-graph.ts";
import type { LockedMount, LockedSession } from "./lockfile.ts";
import { type Problem, problemsError } from "./problem.ts";
import { schemaProblems } from "./schema-problems.ts";
import { resolveLimits } from "./session-limits.ts";
import type { SessionWish } from "./session-wish.ts";
import { resolveTools } from "./tool-wishes.ts";
import { type WorkspaceFile, workspaceSchema } from "./workspace-schema.ts";
import type { BaseWish, ImageWish, Workspace } from "./workspace.ts";

/** What toolbox.yaml is checked against besides its own schema. */
export interface ParseWorkspaceOptions {
  /** Tool definitions by name. */
  readonly catalog: ToolCatalog;
}

/** Packages of a Debian base when toolbox.yaml names none. */
const DEFAULT_PACKAGES: readonly string[] = [
  "bash",
  "ca-certificates",
  "curl",
  "git",
  "less",
  "openssh-client",
  "vim-tiny",
];

/**
 * Checks the text of toolbox.yaml and fills in every default. `file` is its absolute path.
 * All problems are found in one go: the error reads as the first, its `cause` holds them all.
 *
 * @throws {ToolingError} `WORKSPACE_INVALID`, `TOOL_UNKNOWN`, `CATALOG_INVALID`, `PLATFORM_UNAVAILABLE`
 */
export function parseWorkspace(
  content: string | Uint8Array,
  file: string,
  { catalog }: ParseWorkspaceOptions,
): Workspace {
  const text = parseYamlText(content, file, "WORKSPACE_INVALID");
  const parsed = workspaceSchema.safeParse(text.value ?? {});
  if (!parsed.success) throw problemsError(schemaProblems(parsed.error.issues, text));
  const wishes = parsed.data;
  const platforms = PLATFORMS.filter((platform) => wishes.platforms?.includes(platform) ?? true);
  const graph = resolveImages(wishes.images ?? {}, text);
  const tools = resolveTools(wishes, { catalog, text, platforms, images: graph.images });
  const session = sessionProblems(wishes, text);
  const problems: Problem[] = [...graph.problems, ...tools.problems, ...session];
  if (problems.length > 0) throw problemsError(problems);
  return {
    file,
    folder: dirname(file),
    registry: wishes.registry,
    platforms,
    base: resolveBase(wishes, graph.images, tools.tools.size),
    tools: tools.tools,
    images: graph.images,
    mirrors: wishes.mirrors ?? {},
    use: wishes.use,
    session: resolveSession(wishes, graph.images),
    compression: shortenCompression(wishes.compression ?? "gzip"),
    positionOf: (key) => text.positionOf([key]),
  };
}

function resolveBase(
  { base }: WorkspaceFile,
  images: ReadonlyMap<string, ImageWish>,
  toolCount: number,
): BaseWish | undefined {
  if (base !== undefined && "image" in base) return { kind: "image", reference: base.image };
  if (base === undefined && images.size === 0 && toolCount === 0) return undefined;
  const packages = [...new Set(base?.packages ?? DEFAULT_PACKAGES)].toSorted();
  return { kind: "debian", suite: base?.debian ?? "trixie", packages };
}

function resolveSession(
  { session = {}, use, session: written }: WorkspaceFile,
  images: ReadonlyMap<string, ImageWish>,
): LockedSession | undefined {
  const [firstImage] = images.keys();
  const image = session.image ?? (use === undefined ? firstImage : undefined);
  if (written === undefined && image === undefined && use === undefined) return undefined;
  const { mounts = [], env = [], credentials = [], context, namespace, network, limits } = session;
  return {
    image,
    mounts: mounts.map(resolveMount),
    env,
    credentials: [...new Set(credentials)].toSorted(),
    context,
    namespace,
    network,
    limits: resolveLimits(limits),
  };
}

function resolveMount(mount: NonNullable<SessionWish["mounts"]>[number]): LockedMount {
  if (typeof mount !== "string") return { ...mount, readOnly: mount.readOnly ?? true };
  const [source = "", target = "", mode] = mount.split(":");
  return { source, target, readOnly: mode !== "rw" };
}

function sessionProblems({ session, images }: WorkspaceFile, text: YamlText): Problem[] {
  const image = session?.image;
  if (image === undefined || Object.hasOwn(images ?? {}, image)) return [];
  return [
    {
      code: "WORKSPACE_INVALID",
      message: `session runs in "${image}", which is not an image of this file`,
      position: text.positionOfValue(["session", "image"]),
      hint: `Images here: ${Object.keys(images ?? {}).join(", ") || "none"}.`,
    },
  ];
}
