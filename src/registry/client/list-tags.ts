// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../../core/byte-stream.ts";
import { ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import { parseStrictJson } from "../../core/strict-json.ts";
import { isTag } from "../../oci/index.ts";
import { nextPage } from "./link-header.ts";
import type { RepositoryApi } from "./repository-api.ts";

const PAGE_SIZE = "1000";
const LONGEST_PAGE = 8 * 1024 * 1024;
const MOST_PAGES = 1000;

/**
 * All tags, page by page, in the registry's order.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND` when there is no such repository
 */
export async function* listTags(api: RepositoryApi, options: OperationOptions): AsyncGenerator<string> {
  let url: URL | undefined = api.tags({ n: PAGE_SIZE });
  const seen = new Set<string>();
  for (let page = 0; url !== undefined; page += 1) {
    if (page >= MOST_PAGES || seen.has(url.href)) throw endless(api);
    seen.add(url.href);
    const response = await api.transport.send(
      { method: "GET", url, scopes: api.pull, accept: [200] },
      options,
    );
    const tooLong = (): ToolingError => endless(api);
    const body = response.body as AsyncIterable<Uint8Array>;
    const bytes = await collectBytes(body, { limit: LONGEST_PAGE, onExcess: tooLong });
    yield* readTags(bytes);
    url = nextPage(response);
  }
}

/** An empty repository answers `null` in some registries. */
function readTags(bytes: Uint8Array): string[] {
  const value = parseStrictJson(bytes, { what: "list of tags" });
  const tags = value !== null && typeof value === "object" && "tags" in value ? value.tags : undefined;
  return Array.isArray(tags)
    ? tags.filter((tag): tag is string => typeof tag === "string" && isTag(tag))
    : [];
}

function endless({ title }: RepositoryApi): ToolingError {
  return new ToolingError("REGISTRY_FAILED", `"${title}" sends a list of tags that does not end`, {
    hint: "Ask whoever runs that registry.",
  });
}
