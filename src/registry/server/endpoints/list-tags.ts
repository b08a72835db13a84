// SPDX-License-Identifier: Apache-2.0
import { answerJson, type Endpoint } from "../exchange.ts";
import { pageOf } from "../paging.ts";
import { RegistryFault } from "../registry-fault.ts";

/** `GET /v2/NAME/tags/list`. */
export const listTags: Endpoint = async (exchange) => {
  const { query, route, storage } = exchange;
  const { repository } = route;
  if (!(await storage.hasRepository(repository))) {
    throw new RegistryFault(404, "NAME_UNKNOWN", "there is no such repository");
  }
  const all = await storage.tags.list(repository);
  const { entries, headers } = pageOf(all, query, `/v2/${repository}/tags/list`);
  answerJson(exchange, { name: repository, tags: entries }, headers);
};
