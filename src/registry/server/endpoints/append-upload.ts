// SPDX-License-Identifier: Apache-2.0
import { answer, type Endpoint } from "../exchange.ts";
import { describeUpload, receiveChunk, withUpload } from "../upload-exchange.ts";

/** `PATCH /v2/NAME/blobs/uploads/ID`: the next chunk, or a stream of unknown length. */
export const appendUpload: Endpoint = async (exchange) => {
  await withUpload(exchange, async (upload) => {
    await receiveChunk(exchange, upload);
    answer(exchange, { status: 202, headers: describeUpload(upload) });
  });
};
