// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { algorithmOf, type Digest, encodedOf } from "../../../oci/index.ts";

/**
 * Where everything stands in the folder of a registry:
 *
 * ```
 * registry-version                                 what wrote this folder
 * blobs/sha256/ab/abcd...                          content, once for all repositories
 * repositories/NAME/_blobs/sha256/abcd...          hard link to the content: "this repository has it"
 * repositories/NAME/_manifests/sha256/abcd...      one line of JSON about it, then the exact bytes
 * repositories/NAME/_tags/v1                       JSON with the digest
 * repositories/NAME/_referrers/sha256/SUBJECT/...  descriptors of manifests about SUBJECT
 * uploads/, temporary/                             emptied when the server starts
 * ```
 *
 * No part of a repository's name starts with `_`, so names cannot meet the folders inside.
 */
export class StorageFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get versionFile(): string {
    return join(this.root, "registry-version");
  }
  get lockFile(): string {
    return join(this.root, "registry.lock");
  }
  get blobs(): string {
    return join(this.root, "blobs");
  }
  get repositories(): string {
    return join(this.root, "repositories");
  }
  get uploads(): string {
    return join(this.root, "uploads");
  }
  get temporary(): string {
    return join(this.root, "temporary");
  }

  content(digest: Digest): string {
    const encoded = encodedOf(digest);
    return join(this.blobs, algorithmOf(digest), encoded.slice(0, 2), encoded);
  }
  repository(name: string): string {
    return join(this.repositories, ...name.split("/"));
  }
  blobLink(repository: string, digest: Digest): string {
    return join(this.repository(repository), "_blobs", algorithmOf(digest), encodedOf(digest));
  }
  manifest(repository: string, digest: Digest): string {
    return join(this.repository(repository), "_manifests", algorithmOf(digest), encodedOf(digest));
  }
  tags(repository: string): string {
    return join(this.repository(repository), "_tags");
  }
  referrers(repository: string, subject: Digest): string {
    return join(this.repository(repository), "_referrers", algorithmOf(subject), encodedOf(subject));
  }
}
