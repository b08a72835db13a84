// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";

/** The error for a manifest or tag that a store does not have. */
export function imageNotFound(tagOrDigest: string): ToolingError {
  return new ToolingError("IMAGE_NOT_FOUND", `image "${tagOrDigest}" is not there`, {
    hint: "Check its name and tag, or build or pull it first.",
  });
}

/** The error for a blob that a store does not have. */
export function blobNotFound(digest: string): ToolingError {
  return new ToolingError("BLOB_NOT_FOUND", `blob "${digest}" is not there`, {
    hint: "Build, pull or push the image again.",
  });
}
