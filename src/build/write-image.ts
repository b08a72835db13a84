// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import {
  type ContentSource,
  copyImage,
  isTag,
  openLayoutStore,
  writeDockerArchiveFile,
} from "../oci/index.ts";
import type { ImageReport, PlatformReport } from "./report.ts";

/** A place outside the store that an image is written to. */
export type ImageTarget =
  | { readonly kind: "oci"; readonly folder: string; readonly tag?: string }
  | { readonly kind: "docker-archive"; readonly file: string };

/** How {@link writeImage} works. */
export interface WriteImageOptions extends OperationOptions {
  /** The one platform that a docker archive holds. Absent: the first of the image. */
  readonly platform?: Platform | undefined;
}

/**
 * Reads `oci:DIR[:TAG]` and `docker-archive:FILE`, the names that skopeo and podman use.
 *
 * @throws {ToolingError} `COMMAND_USAGE`
 */
export function parseImageTarget(text: string): ImageTarget {
  const [, kind, rest = ""] = /^(oci|docker-archive):(.+)$/s.exec(text) ?? [];
  if (kind === "docker-archive") return { kind, file: rest };
  if (kind !== "oci") {
    throw new ToolingError("COMMAND_USAGE", `"${text}" is not a place to write an image to`, {
      hint: "Write oci:DIR, oci:DIR:TAG or docker-archive:FILE.",
    });
  }
  const colon = rest.lastIndexOf(":");
  const tag = rest.slice(colon + 1);
  return colon > 0 && isTag(tag) ? { kind, folder: rest.slice(0, colon), tag } : { kind, folder: rest };
}

/**
 * Writes a built image out of the store: the whole index into an OCI layout, or one platform into an archive that
 * `docker load` and `podman load` read.
 *
 * @throws {ToolingError} `DISK_FULL`, `FILE_UNWRITABLE`, `PLATFORM_UNAVAILABLE`
 */
export async function writeImage(
  image: ImageReport,
  target: ImageTarget,
  store: ContentSource,
  { platform, signal, onProgress }: WriteImageOptions = {},
): Promise<void> {
  if (target.kind === "oci") {
    const layout = await openLayoutStore(target.folder);
    await copyImage(store, layout, image.index, { tag: target.tag ?? image.name, signal, onProgress });
    return;
  }
  const { manifest } = choosePlatform(image, platform);
  const images = [{ descriptor: manifest, reference: image.reference }];
  await writeDockerArchiveFile(store, images, target.file, { signal });
}

function choosePlatform(image: ImageReport, platform: Platform | undefined): PlatformReport {
  const found = image.platforms.find((each) => platform === undefined || each.platform === platform);
  if (found !== undefined) return found;
  throw new ToolingError(
    "PLATFORM_UNAVAILABLE",
    `image "${image.name}" is not built for "${platform ?? "any"}"`,
    {
      hint: `Built are ${image.platforms.map((each) => each.platform).join(", ")}.`,
    },
  );
}
