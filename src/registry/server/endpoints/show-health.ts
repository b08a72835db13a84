// SPDX-License-Identifier: Apache-2.0
import { access, constants } from "node:fs/promises";
import { answerJson, type Endpoint } from "../exchange.ts";

/** `GET /healthz`: the server answers and can reach its folder. */
export const showHealth: Endpoint = async (exchange) => {
  await access(exchange.storage.folder.versionFile, constants.R_OK);
  answerJson(exchange, { status: "ok" });
};
