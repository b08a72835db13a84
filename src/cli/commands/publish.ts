// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import type { Platform } from "../../core/platform.ts";
import { suggestName } from "../../core/suggestion.ts";
import {
  type Descriptor,
  type LayoutStore,
  matchesPlatform,
  openLayoutStore,
  parseManifest,
} from "../../oci/index.ts";
import { localImageName, readRunLock, requireWorkspace, type RunLock } from "../../workspace/index.ts";
import type { Command } from "../command.ts";
import { formatColumns } from "../measure.ts";
import { platformsOption } from "../option-value.ts";
import { Publication, type Published } from "../publication.ts";
import { nameReferences, PUBLISH_OPTIONS, readPublishTarget } from "../registry-access.ts";

/** `toolbox publish` */
export const publishCommand: Command = {
  summary: "Push built images to a registry under a tag, and print their digests",
  usage: "[IMAGE...]",
  details: [
    "Images go below `registry:` of toolbox.yaml, or below --to. What the registry has is not sent again.",
  ],
  options: {
    ...PUBLISH_OPTIONS,
    platform: {
      type: "string",
      multiple: true,
      value: "OS/CPU",
      summary: "What the image was built for, when that is less than toolbox.yaml says; may be repeated",
    },
    "dry-run": { type: "boolean", summary: "Show what would be pushed where" },
  },
  examples: [
    { command: "toolbox publish --tag 1.4.0", summary: "all images of the workspace" },
    {
      command: "toolbox publish team-tools --to 127.0.0.1:5000 --json",
      summary: "one, to the embedded registry",
    },
  ],
  async run({ operands, options }, context) {
    const { lockFile } = await requireWorkspace(context.start);
    const lock = await readRunLock(lockFile);
    const images = chooseImages(operands, lock);
    const target = readPublishTarget(options, lock.registry);
    const store = await openLayoutStore(context.paths.store);
    const wanted = platformsOption(options) ?? lock.platforms;
    const dryRun = options["dry-run"] === true;
    const publication = new Publication(target, store, context);
    const published: Published[] = [];
    for (const name of images) {
      const root = await findBuilt(localImageName(lock.registry, name), store);
      await requirePlatforms(name, root, wanted, store);
      if (dryRun) {
        const { digest } = root;
        published.push(...nameReferences(target, name).map((reference) => ({ name, reference, digest })));
      } else published.push(...(await publication.publish(name, root)));
    }
    for (const line of formatColumns(published.map(({ reference, digest }) => [reference, digest])))
      context.print(line);
    context.printJson({ images: published, dryRun });
    return 0;
  },
};

function chooseImages(wanted: readonly string[], { images }: RunLock): readonly string[] {
  const known = Object.keys(images);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined && known.length > 0) return wanted.length > 0 ? wanted : known;
  const near = suggestName(unknown ?? "", known);
  throw new ToolingError(
    "IMAGE_NOT_FOUND",
    unknown === undefined ? "workspace has no images" : `image "${unknown}" is not in toolbox.lock`,
    {
      hint:
        near === undefined
          ? `Images: ${known.join(", ") || "none; add them under `images:`"}.`
          : `Did you mean "${near}"?`,
    },
  );
}

/** An image that was built for less, or more, than is asked for must not become everybody's by accident. */
async function requirePlatforms(
  image: string,
  root: Descriptor,
  wanted: readonly Platform[],
  store: LayoutStore,
): Promise<void> {
  const parsed = parseManifest(await store.fetchManifest(root), root.mediaType);
  if (parsed.kind !== "index") return;
  const { manifests } = parsed.index;
  const missing = wanted.find(
    (platform) => !manifests.some((manifest) => matchesPlatform(manifest.platform, platform)),
  );
  if (missing !== undefined) {
    throw new ToolingError("PLATFORM_UNAVAILABLE", `image "${image}" was not built for ${missing}`, {
      hint: "Run `toolbox build`, or say with --platform that the image is for fewer platforms.",
    });
  }
  const more = manifests.find(
    ({ platform }) => !wanted.some((each) => matchesPlatform(platform, each)),
  )?.platform;
  if (more === undefined) return;
  const found = `${more.os}/${more.architecture}`;
  throw new ToolingError("COMMAND_USAGE", `image "${image}" was built for ${found} too`, {
    hint: "Leave --platform out, or give it to `toolbox build` as well.",
  });
}

/** Only what identifies the content: the name that it has in the store means nothing elsewhere. */
async function findBuilt(reference: string, store: LayoutStore): Promise<Descriptor> {
  try {
    const { mediaType, digest, size } = await store.resolveManifest(reference);
    return { mediaType, digest, size };
  } catch (error) {
    if (!(error instanceof ToolingError) || error.code !== "IMAGE_NOT_FOUND") throw error;
    throw new ToolingError("IMAGE_NOT_FOUND", `image "${reference}" is not built on this machine`, {
      hint: "Run `toolbox build` first.",
      cause: error,
    });
  }
}
