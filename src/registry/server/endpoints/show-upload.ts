// SPDX-License-Identifier: Apache-2.0
import { answer, type Endpoint } from "../exchange.ts";
import { describeUpload } from "../upload-exchange.ts";

/** `GET /v2/NAME/blobs/uploads/ID`: how far it is. */
export const showUpload: Endpoint = async (exchange) => {
  const { route, storage } = exchange;
  const upload = storage.uploads.find(route.repository, route.reference);
  answer(exchange, { status: 204, headers: describeUpload(upload) });
};
