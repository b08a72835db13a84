// SPDX-License-Identifier: Apache-2.0
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ToolingError } from "../../../core/error.ts";
import type { Digest } from "../../../oci/index.ts";
import { isDigest } from "../../../oci/index.ts";
import { KeyedMutex } from "../mutex.ts";
import { BlobShelf } from "./blob-shelf.ts";
import { isThere, listFolder, makeDurableFolder, publishFile, readFileIfAny } from "./durable-file.ts";
import { ManifestShelf, type StoredManifest } from "./manifest-shelf.ts";
import { StorageFolder } from "./storage-folder.ts";
import { TagShelf } from "./tag-shelf.ts";
import { UploadDesk, type UploadLimits } from "./upload-desk.ts";

const FORMAT = "1";

/** Everything a registry keeps, in one folder that one process owns. */
export class RegistryStorage {
  readonly folder: StorageFolder;
  readonly blobs: BlobShelf;
  readonly manifests: ManifestShelf;
  readonly tags: TagShelf;
  readonly uploads: UploadDesk;
  readonly now: () => Date;
  readonly #mutex = new KeyedMutex();

  constructor(folder: StorageFolder, limits: UploadLimits, now: () => Date) {
    this.folder = folder;
    this.now = now;
    this.blobs = new BlobShelf(folder, now);
    this.manifests = new ManifestShelf(folder);
    this.tags = new TagShelf(folder);
    this.uploads = new UploadDesk(folder, limits, now);
  }

  /** Runs `work` while nobody else changes the manifests and tags of this repository. */
  async alone<T>(repository: string, work: () => Promise<T>): Promise<T> {
    return this.#mutex.run(repository, work);
  }

  /** What a tag or digest stands for. `undefined` when there is no such manifest. */
  async findManifest(repository: string, reference: string): Promise<StoredManifest | undefined> {
    const digest = isDigest(reference) ? reference : await this.tags.resolve(repository, reference);
    return digest === undefined ? undefined : this.manifests.read(repository, digest);
  }

  /** Whether anything was ever pushed to this repository. */
  async hasRepository(repository: string): Promise<boolean> {
    const folder = this.folder.repository(repository);
    return (await isThere(join(folder, "_manifests"))) || isThere(join(folder, "_blobs"));
  }

  /** Whether a manifest or a blob with this digest is in the repository. */
  async hasContent(repository: string, digest: Digest): Promise<boolean> {
    if (await this.manifests.has(repository, digest)) return true;
    return (await this.blobs.lease(repository, digest)) !== undefined;
  }

  /** Names of all repositories, in ASCII order of their parts. */
  async *listRepositories(): AsyncGenerator<string> {
    yield* this.#listBelow("");
  }

  async *#listBelow(parent: string): AsyncGenerator<string> {
    const folder = parent === "" ? this.folder.repositories : this.folder.repository(parent);
    for (const name of (await listFolder(folder)).toSorted()) {
      if (name.startsWith("_")) continue;
      const repository = parent === "" ? name : `${parent}/${name}`;
      if (await this.hasRepository(repository)) yield repository;
      yield* this.#listBelow(repository);
    }
  }
}

/**
 * Opens the folder of a registry, new or used, and removes what a crash has left: bytes of uploads that nobody can
 * continue. The caller holds the lock of the folder.
 *
 * @throws {ToolingError} `STORE_UNSUPPORTED`
 */
export async function openRegistryStorage(
  root: string,
  { limits, now }: { readonly limits: UploadLimits; readonly now: () => Date },
): Promise<RegistryStorage> {
  const folder = new StorageFolder(root);
  await checkFormat(folder);
  for (const scratch of [folder.uploads, folder.temporary]) {
    await rm(scratch, { recursive: true, force: true });
    await makeDurableFolder(scratch);
  }
  await publishFile(folder.versionFile, `${FORMAT}\n`, { temporary: folder.temporary });
  return new RegistryStorage(folder, limits, now);
}

async function checkFormat(folder: StorageFolder): Promise<void> {
  const content = await readFileIfAny(folder.versionFile);
  const format = content?.toString("utf8").trim();
  if (format !== undefined && format !== FORMAT) {
    throw new ToolingError(
      "STORE_UNSUPPORTED",
      `"${folder.root}" has the registry format "${format.slice(0, 20)}"`,
      {
        hint: "Use the version of toolbox that made it, or name another folder.",
      },
    );
  }
  if (
    format === undefined &&
    (await listFolder(folder.root)).some((name) => name === "index.json" || name === "docker")
  ) {
    throw new ToolingError(
      "STORE_UNSUPPORTED",
      `"${folder.root}" holds something that is not a toolbox registry`,
      {
        hint: "Name an empty or new folder.",
      },
    );
  }
}
