// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFileContent } from "../core/file-content.ts";

/** SHA-256 of a file's bytes, as lower-case hex. */
export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of readFileContent(path)) hash.update(chunk);
  return hash.digest("hex");
}
