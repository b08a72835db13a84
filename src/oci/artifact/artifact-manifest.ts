// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { formatCanonicalJson } from "../../core/json.ts";
import { describeBytes, type Descriptor, EMPTY_DESCRIPTOR } from "../descriptor.ts";
import type { ImageManifest } from "../image-manifest.ts";
import { MEDIA_TYPES } from "../media-type.ts";
import { MANIFEST_LIMIT } from "../parse-manifest.ts";
import { objectionToTitle, TITLE } from "./artifact-title.ts";

/** A file of an artifact, by its content. */
export interface ArtifactFile extends Pick<Descriptor, "mediaType" | "digest" | "size"> {
  /** Relative path under which it is pulled, parted by `/`. */
  readonly title: string;
}

/** Optional parts of {@link packArtifact}. */
export interface PackArtifactOptions {
  /** The manifest that the artifact is about. Absent: it stands for itself. */
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** A manifest and what describes it. */
export interface PackedArtifact {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** Blobs that must be there before it: the empty config (and layer) and the files. */
  readonly blobs: readonly Descriptor[];
}

const TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}$/;

/** Whether `text` is a media type (RFC 6838, section 4.2). */
export function isMediaType(text: string): boolean {
  return TYPE.test(text);
}

/**
 * The manifest of an artifact: type, empty config, one layer for each file with its title (image-spec v1.1.1,
 * manifest.md, "Guidelines for Artifact Usage"). The same input gives the same bytes.
 *
 * @throws {ToolingError} `MANIFEST_INVALID`, `PATH_CONFLICT`
 */
export function packArtifact(
  artifactType: string,
  files: readonly ArtifactFile[],
  { subject, annotations = {} }: PackArtifactOptions = {},
): PackedArtifact {
  for (const type of [artifactType, ...files.map(({ mediaType }) => mediaType)]) {
    if (!isMediaType(type)) throw notAType(type);
  }
  checkTitles(files.map(({ title }) => title));
  const layers = files.map(({ title, mediaType, digest, size }) => {
    return { mediaType, digest, size, annotations: { [TITLE]: title } };
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.imageManifest,
    artifactType,
    config: EMPTY_DESCRIPTOR,
    // At least one layer, for registries that insist on it.
    layers: layers.length === 0 ? [EMPTY_DESCRIPTOR] : layers,
    ...(subject !== undefined && { subject: identityOf(subject) }),
    ...(Object.keys(annotations).length > 0 && { annotations }),
  } satisfies ImageManifest;
  const bytes = new TextEncoder().encode(formatCanonicalJson(manifest));
  if (bytes.byteLength > MANIFEST_LIMIT) throw tooLarge(bytes.byteLength);
  const descriptor = { ...describeBytes(bytes, MEDIA_TYPES.imageManifest), artifactType };
  return { descriptor, bytes, blobs: [EMPTY_DESCRIPTOR, ...layers] };
}

/** Only what identifies the content: annotations of a listing are not part of it. */
export function identityOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

/** A layer that becomes a file. */
export interface TitledLayer {
  readonly title: string;
  readonly layer: Descriptor;
}

/**
 * The layers that have a title, which nobody else may be trusted to have checked.
 *
 * @throws {ToolingError} `ARCHIVE_UNSAFE`, `PATH_CONFLICT`
 */
export function listTitledLayers({ layers }: ImageManifest): readonly TitledLayer[] {
  const titled = layers.flatMap((layer) => {
    const title = layer.annotations?.[TITLE];
    return title === undefined ? [] : [{ title, layer }];
  });
  checkTitles(titled.map(({ title }) => title));
  return titled;
}

function checkTitles(titles: readonly string[]): void {
  const folded = new Map<string, string>();
  for (const title of titles) {
    const objection = objectionToTitle(title);
    if (objection !== undefined) throw unsafe(title, objection);
    const key = foldTitle(title);
    const other = folded.get(key);
    if (other !== undefined) throw conflict(title, other);
    folded.set(key, title);
  }
  for (const [key, title] of folded) {
    for (let slash = key.lastIndexOf("/"); slash > 0; slash = key.lastIndexOf("/", slash - 1)) {
      const file = folded.get(key.slice(0, slash));
      if (file !== undefined) throw conflict(title, file);
    }
  }
}

/** Some file systems tell neither case nor forms of accents apart. */
function foldTitle(title: string): string {
  return title.normalize("NFC").toUpperCase().toLowerCase();
}

function notAType(type: string): ToolingError {
  return new ToolingError("MANIFEST_INVALID", `"${type.slice(0, 200)}" is not a media type`, {
    hint: "Write it as in application/spdx+json.",
  });
}

function unsafe(title: string, objection: string): ToolingError {
  return new ToolingError("ARCHIVE_UNSAFE", `file name "${title.slice(0, 200)}" ${objection}`, {
    hint: "Do not use this artifact; tell whoever published it.",
  });
}

function conflict(title: string, other: string): ToolingError {
  return new ToolingError("PATH_CONFLICT", `files "${other}" and "${title}" cannot stand beside each other`, {
    hint: "Give each file of an artifact a name of its own.",
  });
}

function tooLarge(size: number): ToolingError {
  return new ToolingError(
    "MANIFEST_INVALID",
    `manifest has ${size} bytes, registries take ${MANIFEST_LIMIT}`,
    {
      hint: "Use fewer files and shorter annotations.",
    },
  );
}
