// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError } from "../core/error.ts";
import { formatCanonicalJson } from "../core/json.ts";
import { encodedOf } from "../oci/index.ts";
import type { SessionImage } from "../session/index.ts";
import type { EngineHost, EngineImage, EngineName } from "./engine.ts";

/**
 * Our note that an engine holds an image, so that the next run need not ask it. Notes may be wrong (somebody pruned):
 * whoever trusts one must be ready to drop it.
 */
export async function readHeldImage(
  engine: EngineName | "embedded",
  image: SessionImage,
  host: EngineHost,
): Promise<EngineImage | undefined> {
  try {
    const note = JSON.parse(readFileSync(notePath(engine, image, host), "utf8")) as Partial<EngineImage>;
    if (typeof note.location !== "string" || note.location === "") return undefined;
    const { location, rootless, proven } = note;
    return {
      location,
      ...(rootless === true ? { rootless } : {}),
      ...(proven === true ? { proven } : {}),
    };
  } catch (error) {
    if (isSystemError(error, "ENOENT") || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Writes the note. */
export async function writeHeldImage(
  engine: EngineName | "embedded",
  image: SessionImage,
  { host, held }: { readonly host: EngineHost; readonly held: EngineImage },
): Promise<void> {
  await writeFileAtomically(notePath(engine, image, host), formatCanonicalJson(held, { indent: 2 }), {
    mode: 0o600,
  });
}

/** Drops the note. */
export async function forgetHeldImage(
  engine: EngineName | "embedded",
  image: SessionImage,
  host: EngineHost,
): Promise<void> {
  await rm(notePath(engine, image, host), { force: true });
}

/** Variables that choose which daemon or storage a client talks to: another one, other notes. */
const ENDPOINT_NAMES = [
  "CONTAINERD_ADDRESS",
  "CONTAINERD_NAMESPACE",
  "CONTAINER_HOST",
  "CONTAINERS_STORAGE_CONF",
  "DOCKER_CONTEXT",
  "DOCKER_HOST",
];

/** Where the notes about an engine are kept. */
export function notesFolder(engine: EngineName | "embedded", { env, stateDir, uid }: EngineHost): string {
  const endpoint = [uid, ...ENDPOINT_NAMES.map((name) => env[name] ?? "")].join("\0");
  const key = createHash("sha256").update(endpoint).digest("hex").slice(0, 12);
  return join(stateDir, "engines", `${engine}-${key}`);
}

/** Which engine a client of this machine talks to, as one word. */
export function endpointOf({ env, uid }: EngineHost): string {
  const endpoint = [uid, ...ENDPOINT_NAMES.map((name) => env[name] ?? "")].join("\0");
  return createHash("sha256").update(endpoint).digest("hex").slice(0, 12);
}

function notePath(
  engine: EngineName | "embedded",
  { digest, platform }: SessionImage,
  host: EngineHost,
): string {
  return join(notesFolder(engine, host), `${encodedOf(digest)}-${platform.replaceAll("/", "-")}.json`);
}
