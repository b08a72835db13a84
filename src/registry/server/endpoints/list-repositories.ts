// SPDX-License-Identifier: Apache-2.0
import { answerJson, type Endpoint } from "../exchange.ts";
import { pageOf } from "../paging.ts";

/** `GET /v2/_catalog`: not of the specification, but what clients of other registries know. */
export const listRepositories: Endpoint = async (exchange) => {
  const all: string[] = [];
  for await (const repository of exchange.storage.listRepositories()) all.push(repository);
  const { entries, headers } = pageOf(all.toSorted(), exchange.query, "/v2/_catalog");
  answerJson(exchange, { repositories: entries }, headers);
};
