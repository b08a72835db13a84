// SPDX-License-Identifier: Apache-2.0
import { answer, type Endpoint } from "../exchange.ts";
import { withUpload } from "../upload-exchange.ts";

/** `DELETE /v2/NAME/blobs/uploads/ID`: the client gives up. */
export const cancelUpload: Endpoint = async (exchange) => {
  await withUpload(exchange, async (upload) => {
    await exchange.storage.uploads.close(upload);
    answer(exchange, { status: 204 });
  });
};
