// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { OperationOptions } from "../core/operation.ts";
import type { Session } from "../session/index.ts";
import type { EngineHost, ImageSupply } from "./engine.ts";
import { findInit } from "./host-tools.ts";
import { placeSession } from "./place-session.ts";
import { refuseLimits } from "./refuse-limits.ts";
import { writeBundle } from "./runtime-bundle.ts";
import { unpackImage } from "./unpack-image.ts";
import { readUnpackedImage } from "./unpacked-image.ts";

/** What {@link bundleSession} goes by. */
export interface BundleSessionRequest {
  readonly session: Session;
  readonly supply: ImageSupply;
  /** Where `config.json` is written. */
  readonly folder: string;
}

/**
 * Writes a runtime-spec bundle for a session, for `runc run --bundle`, crun and other runtimes. Its root file system stays
 * in the data folder, shared with the embedded runner and read-only.
 *
 * @throws {ToolingError} `IMAGE_NOT_FOUND`, `MOUNT_REFUSED`, `FILE_UNWRITABLE`
 */
export async function bundleSession(
  { session, supply, folder }: BundleSessionRequest,
  host: EngineHost,
  options: OperationOptions = {},
): Promise<void> {
  const location = await unpackImage({ image: session.image, supply }, host, options);
  const image = await readUnpackedImage(location);
  if (image === undefined) {
    throw new ToolingError("IMAGE_NOT_FOUND", `"${location}" went away while it was used`, {
      hint: "Run the same command again.",
    });
  }
  // Its writer decides what is in it: whoever runs it as root later would find no limits.
  if (host.uid !== 0)
    refuseLimits(session, "a bundle of a plain user", "only root may make the cgroup for them");
  const placed = await placeSession(session, image, host.stateDir);
  const init = await findInit(host);
  await writeBundle(placed, folder, {
    root: image.root,
    uid: host.uid,
    gid: host.gid,
    init,
    needsRoot: true,
  });
}
