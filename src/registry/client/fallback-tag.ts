// SPDX-License-Identifier: Apache-2.0
import { formatCanonicalJson } from "../../core/json.ts";
import { ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { type Descriptor, type Digest, digestOf, MEDIA_TYPES, parseManifest } from "../../oci/index.ts";
import { pullManifest } from "./pull-manifest.ts";
import type { RepositoryApi } from "./repository-api.ts";
import { pause } from "./retry.ts";

/** What stands under the fallback tag. */
export interface FallbackList {
  readonly descriptors: readonly Descriptor[];
  /** Absent: there is no such tag yet, or the registry gives no ETag. */
  readonly etag: string | undefined;
  readonly exists: boolean;
}

const MOST_ROUNDS = 20;
/** Milliseconds after which a list is looked at again: longer than another writer takes from reading to writing. */
const SETTLE = 150;

/** The tag that lists what is about `subject` (distribution-spec v1.1.1, "Referrers Tag Schema"). */
function fallbackTagOf(subject: string): string {
  const colon = subject.indexOf(":");
  return `${clean(subject.slice(0, colon), 32)}-${clean(subject.slice(colon + 1), 64)}`;
}

function clean(text: string, length: number): string {
  return text.slice(0, length).replaceAll(/[^A-Za-z0-9_.-]/g, "-");
}

/** @throws {ToolingError} `MANIFEST_INVALID` when something else stands under that tag */
export async function readFallback(
  api: RepositoryApi,
  subject: Digest,
  options: OperationOptions,
): Promise<FallbackList> {
  const tag = fallbackTagOf(subject);
  const pulled = await pullManifest(api, tag, options);
  if (pulled === undefined) return { descriptors: [], etag: undefined, exists: false };
  const parsed = parseManifest(pulled.bytes, pulled.descriptor.mediaType);
  if (parsed.kind !== "index") {
    throw new ToolingError("MANIFEST_INVALID", `"${api.title}:${tag}" is not a list of referrers`, {
      hint: "Delete that tag if nobody needs it: referrers of this image cannot be listed as long as it is there.",
    });
  }
  return { descriptors: parsed.index.manifests, etag: pulled.etag, exists: true };
}

/**
 * Changes the list under the fallback tag. Registries of this age cannot do so in one step, so other writers are
 * reckoned with: the write is conditional where the registry honours that, and is looked at again a little later,
 * until the change has stayed.
 *
 * @param change Gives the new list; the same list when there is nothing to do.
 * @throws {ToolingError} `REGISTRY_FAILED` when others write all the time
 */
export async function changeFallback(
  api: RepositoryApi,
  subject: Digest,
  change: (descriptors: readonly Descriptor[]) => readonly Descriptor[],
  options: OperationOptions,
): Promise<void> {
  await inTurn(`${api.transport.url.href} ${api.title} ${subject}`, async () => {
    let hasWritten = false;
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const list = await readFallback(api, subject, options);
      const next = change(list.descriptors);
      if (isSame(next, list.descriptors)) {
        if (!hasWritten) return;
        hasWritten = false;
        await pause(SETTLE, options.signal);
        continue;
      }
      hasWritten = await writeFallback(api, subject, next, list, options);
      // Writers that met once must not meet again.
      await pause(SETTLE + Math.random() * SETTLE * Math.min(round + 1, 8), options.signal);
    }
    throw new ToolingError(
      "REGISTRY_FAILED",
      `"${api.title}:${fallbackTagOf(subject)}" is changed by others all the time`,
      {
        hint: "Run the same command again when they are done.",
      },
    );
  });
}

/** @returns `false` when somebody else was faster */
async function writeFallback(
  api: RepositoryApi,
  subject: Digest,
  manifests: readonly Descriptor[],
  { etag, exists }: FallbackList,
  options: OperationOptions,
): Promise<boolean> {
  const document = { schemaVersion: 2, mediaType: MEDIA_TYPES.imageIndex, manifests };
  const bytes = new TextEncoder().encode(formatCanonicalJson(document));
  const condition = etag !== undefined ? { "if-match": etag } : exists ? {} : { "if-none-match": "*" };
  const response = await api.transport.send(
    {
      method: "PUT",
      url: api.manifest(fallbackTagOf(subject)),
      headers: { "content-type": MEDIA_TYPES.imageIndex, ...condition },
      body: bytes,
      scopes: api.push,
      accept: [200, 201, 202, 409, 412],
    },
    options,
  );
  await response.body.dump();
  return response.status < 300;
}

function isSame(a: readonly Descriptor[], b: readonly Descriptor[]): boolean {
  return digestOf(formatCanonicalJson(a)) === digestOf(formatCanonicalJson(b));
}

const turns = new Map<string, Promise<void>>();

/** Writers of this process do not disturb each other at all. */
async function inTurn(key: string, work: () => Promise<void>): Promise<void> {
  const before = turns.get(key) ?? Promise.resolve();
  const mine = before.then(work);
  const settled = mine.catch(() => undefined);
  turns.set(key, settled);
  try {
    await mine;
  } finally {
    if (turns.get(key) === settled) turns.delete(key);
  }
}
