// SPDX-License-Identifier: Apache-2.0
import type { Session } from "../session/index.ts";
import { prepareSession } from "./prepare-session.ts";
import { placeMounts } from "./sandbox-mounts.ts";
import type { UnpackedImage } from "./unpacked-image.ts";

/** What a command finds on PATH when the image does not say. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Makes a session ready for an unpacked image: what it needs on the host is made, every mount has its place inside, and
 * the environment is complete with what the image's config says.
 *
 * @throws {ToolingError} `MOUNT_REFUSED`, `FILE_NOT_FOUND`, `FILE_UNWRITABLE`
 */
export async function placeSession(
  session: Session,
  image: UnpackedImage,
  stateDir: string,
): Promise<Session> {
  const prepared = await prepareSession(session, stateDir);
  const env = { PATH: DEFAULT_PATH, ...parseEnvironment(image), ...session.env };
  return { ...prepared, env, mounts: await placeMounts(prepared, image.root) };
}

function parseEnvironment({ env }: UnpackedImage): Record<string, string> {
  return Object.fromEntries(
    env.map((entry): [string, string] => {
      const cut = entry.indexOf("=");
      return cut < 0 ? [entry, ""] : [entry.slice(0, cut), entry.slice(cut + 1)];
    }),
  );
}
