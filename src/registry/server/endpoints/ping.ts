// SPDX-License-Identifier: Apache-2.0
import { answerJson, type Endpoint } from "../exchange.ts";

/** `GET /v2/`: there is a registry, and the caller may use it. */
export const ping: Endpoint = async (exchange) => {
  answerJson(exchange, {});
};
