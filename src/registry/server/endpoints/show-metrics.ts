// SPDX-License-Identifier: Apache-2.0
import { answer, type Endpoint } from "../exchange.ts";

/** `GET /metrics`: counters in the text format of Prometheus. */
export const showMetrics: Endpoint = async (exchange) => {
  const body = exchange.metrics.format({ openUploads: exchange.storage.uploads.count });
  answer(exchange, {
    status: 200,
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
    body,
  });
};
