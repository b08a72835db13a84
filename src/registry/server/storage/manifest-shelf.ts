// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import {
  algorithmOf,
  type Descriptor,
  type Digest,
  type DigestAlgorithm,
  digestOf,
  encodedOf,
  isDigest,
} from "../../../oci/index.ts";
import type { ManifestOutline } from "../manifest-outline.ts";
import { isThere, listFolder, publishFile, readFileIfAny, removeFile } from "./durable-file.ts";
import type { StorageFolder } from "./storage-folder.ts";

/** A manifest as it was pushed. */
export interface StoredManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly subject?: Digest;
  readonly bytes: Uint8Array;
}

const NEWLINE = 0x0a;
const ALGORITHMS: readonly DigestAlgorithm[] = ["sha256", "sha512"];

/** Manifests and who refers to whom, per repository. The bytes are kept exactly. */
export class ManifestShelf {
  readonly #folder: StorageFolder;

  constructor(folder: StorageFolder) {
    this.#folder = folder;
  }

  /** @returns `undefined` when there is no such manifest, or what the disk gives back is not what was stored */
  async read(repository: string, digest: Digest): Promise<StoredManifest | undefined> {
    const content = await readFileIfAny(this.#folder.manifest(repository, digest));
    const end = content?.indexOf(NEWLINE) ?? -1;
    if (content === undefined || end < 0) return undefined;
    const bytes = content.subarray(end + 1);
    if (digestOf(bytes, algorithmOf(digest)) !== digest) return undefined;
    const { mediaType, subject } = parseHead(content.toString("utf8", 0, end)) ?? {};
    if (mediaType === undefined) return undefined;
    return { digest, mediaType, bytes, ...(subject !== undefined && { subject }) };
  }

  async has(repository: string, digest: Digest): Promise<boolean> {
    return (await this.read(repository, digest)) !== undefined;
  }

  /** The entry in the subject's list comes first: an entry without a manifest is not shown, the other way round it would be lost. */
  async add(repository: string, digest: Digest, outline: ManifestOutline, bytes: Uint8Array): Promise<void> {
    const { mediaType, subject } = outline;
    const temporary = this.#folder.temporary;
    if (subject !== undefined) {
      const entry = JSON.stringify(describeReferrer(digest, outline, bytes.byteLength));
      await publishFile(this.#referrer(repository, subject, digest), entry, { temporary });
    }
    const head = JSON.stringify({ mediaType, ...(subject !== undefined && { subject }) });
    const content = Buffer.concat([Buffer.from(`${head}\n`), bytes]);
    await publishFile(this.#folder.manifest(repository, digest), content, { temporary });
  }

  /** @returns `false` when there was no such manifest */
  async remove(repository: string, digest: Digest): Promise<boolean> {
    const stored = await this.read(repository, digest);
    const removed = await removeFile(this.#folder.manifest(repository, digest));
    if (stored?.subject !== undefined) await removeFile(this.#referrer(repository, stored.subject, digest));
    return removed;
  }

  /** Digests of all manifests of a repository. */
  async list(repository: string): Promise<Digest[]> {
    const digests: Digest[] = [];
    for (const algorithm of ALGORITHMS) {
      const folder = join(this.#folder.repository(repository), "_manifests", algorithm);
      for (const name of await listFolder(folder)) digests.push(`${algorithm}:${name}`);
    }
    return digests.filter(isDigest);
  }

  /** Descriptors of the manifests whose subject is `subject`, ordered by digest. */
  async listReferrers(repository: string, subject: Digest): Promise<Descriptor[]> {
    const folder = this.#folder.referrers(repository, subject);
    const found: Descriptor[] = [];
    for (const name of (await listFolder(folder)).toSorted()) {
      const entry = parseReferrer(await readFileIfAny(join(folder, name)));
      if (entry !== undefined && (await isThere(this.#folder.manifest(repository, entry.digest))))
        found.push(entry);
    }
    return found;
  }

  #referrer(repository: string, subject: Digest, digest: Digest): string {
    return join(this.#folder.referrers(repository, subject), `${algorithmOf(digest)}-${encodedOf(digest)}`);
  }
}

function parseHead(text: string): Pick<StoredManifest, "mediaType" | "subject"> | undefined {
  try {
    const head = JSON.parse(text) as Partial<StoredManifest> | null;
    if (typeof head?.mediaType !== "string") return undefined;
    const { mediaType, subject } = head;
    return { mediaType, ...(typeof subject === "string" && isDigest(subject) && { subject }) };
  } catch {
    return undefined;
  }
}

function describeReferrer(
  digest: Digest,
  { mediaType, artifactType, annotations }: ManifestOutline,
  size: number,
): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations !== undefined && { annotations }),
  };
}

function parseReferrer(content: Buffer | undefined): Descriptor | undefined {
  try {
    const entry = JSON.parse(content?.toString("utf8") ?? "null") as Descriptor | null;
    return entry !== null && isDigest(entry.digest) ? entry : undefined;
  } catch {
    return undefined;
  }
}
