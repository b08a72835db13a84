// SPDX-License-Identifier: Apache-2.0
import type { OperationOptions } from "../core/operation.ts";
import type { Platform } from "../core/platform.ts";
import type { ContentSource, Digest } from "../oci/index.ts";

/** A script to run, and all that it may see and write. */
export interface StepSession {
  /** Holds the image that the script runs in. */
  readonly source: ContentSource;
  /** Of that image's manifest. */
  readonly digest: Digest;
  readonly platform: Platform;
  /** Text for `sh -eu`. */
  readonly script: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Folders of the host that are written, and where they are seen inside. All absolute. */
  readonly folders: readonly { readonly source: string; readonly target: string }[];
  /** An empty folder of the host for what the runner itself needs; whoever runs the step removes it. */
  readonly scratch: string;
}

/** Runs scripts in an image, without a network and without a trace outside of the session's folders. */
export interface StepRunner {
  /** What runs here without emulation. */
  readonly platform: Platform;
  /** @throws {ToolingError} `BUILD_FAILED` with what the script said last, `ENGINE_NOT_FOUND`, `ENGINE_FAILED` */
  run(session: StepSession, options: OperationOptions): Promise<void>;
}
