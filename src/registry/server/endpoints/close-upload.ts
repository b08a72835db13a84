// SPDX-License-Identifier: Apache-2.0
import { type Endpoint, expectDigest } from "../exchange.ts";
import { RegistryFault } from "../registry-fault.ts";
import { finishUpload, receiveChunk, withUpload } from "../upload-exchange.ts";

/** `PUT /v2/NAME/blobs/uploads/ID?digest=`: the last chunk or the whole, then the check. */
export const closeUpload: Endpoint = async (exchange) => {
  const { query, storage } = exchange;
  const digest = expectDigest(query.get("digest") ?? "");
  await withUpload(exchange, async (upload) => {
    await receiveChunk(exchange, upload);
    try {
      await finishUpload(exchange, upload, digest);
    } catch (error) {
      // The bytes are not what was announced: nothing can be added to make them right.
      if (error instanceof RegistryFault) await storage.uploads.close(upload);
      throw error;
    }
  });
};
