// SPDX-License-Identifier: Apache-2.0
import type { FileEntry } from "../archive/index.ts";
import { readFileContent } from "../core/file-content.ts";

/** A program of the cache as it stands in an image, on everybody's PATH. Parents are left to the layer. */
export function installedProgram(name: string, path: string, size: number): FileEntry {
  return {
    type: "file",
    path: `usr/local/bin/${name}`,
    mode: 0o755,
    uid: 0,
    gid: 0,
    size,
    open: () => readFileContent(path),
  };
}
