// SPDX-License-Identifier: Apache-2.0
import { answer, type Endpoint, expectDigest } from "../exchange.ts";
import { RegistryFault } from "../registry-fault.ts";

/** `DELETE /v2/NAME/blobs/DIGEST`: this repository has it no more, others keep it. */
export const deleteBlob: Endpoint = async (exchange) => {
  const { route, storage } = exchange;
  if (!(await storage.blobs.remove(route.repository, expectDigest(route.reference)))) {
    throw new RegistryFault(404, "BLOB_UNKNOWN", "the blob is not in this repository");
  }
  answer(exchange, { status: 202 });
};
