// SPDX-License-Identifier: Apache-2.0
import { GZIP_MEMBER_SIZE } from "./compress-gzip.ts";
import { ZSTD_FRAME_SIZE } from "./compress-zstd.ts";

/**
 * What compressed bytes depend on besides the content and the level: the encoder's exact version and the way content
 * is cut. Whoever keeps compressed bytes by what they were made from has to remember this too.
 */
export const ENCODERS: Readonly<Record<"gzip" | "zstd", string>> = {
  gzip: `libdeflate 0.1.0, members of ${GZIP_MEMBER_SIZE}`,
  zstd: `@toondepauw/node-zstd 2.0.0, frames of ${ZSTD_FRAME_SIZE}`,
};
