// SPDX-License-Identifier: Apache-2.0
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describeWriteFailure, writeFileAtomically } from "../core/atomic-file.ts";
import { isSystemError, ToolingError } from "../core/error.ts";
import { describeReadFailure, readPatiently } from "../core/file-limit.ts";
import { formatCanonicalJson } from "../core/json.ts";
import { makeFolder } from "../core/make-folder.ts";
import { parseStrictJson } from "../core/strict-json.ts";
import { updateLayoutIndex } from "./layout-index.ts";

const LAYOUT_VERSION = "1.0.0";
/** Raised when a change would make an older toolbox harm the store. */
const STORE_VERSION = 1;
const STORE_MARKER = "toolbox-store.json";

/**
 * Makes `folder` an OCI layout of ours, or checks that it is a layout that we may write.
 *
 * @throws {ToolingError} `STORE_UNSUPPORTED`, `STORE_CORRUPT`, `POLICY_REFUSED`, `FILE_NOT_FOUND` (when not `create`)
 */
export async function prepareLayoutFolder(folder: string, { create }: { create: boolean }): Promise<void> {
  const layout = await readJson(join(folder, "oci-layout"));
  if (layout === undefined) {
    if (!create) throw notALayout(folder);
    await createLayout(folder);
  } else {
    checkVersion(folder, "imageLayoutVersion", layout, LAYOUT_VERSION);
    const marker = await readJson(join(folder, STORE_MARKER));
    if (marker !== undefined) checkVersion(folder, "storeVersion", marker, STORE_VERSION);
  }
  await checkOwner(folder);
}

async function createLayout(folder: string): Promise<void> {
  try {
    await makeFolder(join(folder, "blobs", "sha256"), 0o755);
  } catch (error) {
    throw describeWriteFailure(error, folder);
  }
  await writeFileAtomically(join(folder, STORE_MARKER), formatCanonicalJson({ storeVersion: STORE_VERSION }));
  await updateLayoutIndex(folder, {}, (manifests) => manifests);
  // The last one: it says that the rest is there.
  await writeFileAtomically(
    join(folder, "oci-layout"),
    formatCanonicalJson({ imageLayoutVersion: LAYOUT_VERSION }),
  );
}

function checkVersion(folder: string, member: string, document: unknown, known: number | string): void {
  const version =
    document !== null && typeof document === "object" ? Reflect.get(document, member) : undefined;
  if (version === known) return;
  throw new ToolingError(
    "STORE_UNSUPPORTED",
    `store "${folder}" has ${member} "${String(version)}", not "${known}"`,
    {
      hint: "Use the toolbox version that wrote it, or another folder. Nothing was changed.",
    },
  );
}

/** Whoever can write here can change what we run. */
async function checkOwner(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const { gid, mode, uid } = await stat(folder);
  const isSticky = (mode & 0o1000) !== 0;
  if ((mode & 0o002) !== 0 && !isSticky) {
    throw new ToolingError(
      "POLICY_REFUSED",
      `store "${folder}" can be written by every user of this machine`,
      {
        hint: `Run: chmod o-w "${folder}"`,
      },
    );
  }
  // The group of one's own folder is one's own choice, that of a stranger's folder is not. Where every user has a group
  // of the same number, that group is the owner alone.
  if ((mode & 0o020) === 0 || isSticky || uid === process.getuid?.() || gid === uid) return;
  throw new ToolingError(
    "POLICY_REFUSED",
    `store "${folder}" belongs to another user and is open to a group`,
    {
      hint: `Use a store of your own, or have its owner run: chmod g-w "${folder}"`,
    },
  );
}

/** The parsed file, or `undefined` when there is none. */
async function readJson(path: string): Promise<unknown> {
  let bytes: Uint8Array;
  try {
    bytes = await readPatiently(path);
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR")) return undefined;
    throw describeReadFailure(error, path);
  }
  try {
    return parseStrictJson(bytes, { what: `"${path}"` });
  } catch (error) {
    if (error instanceof ToolingError) {
      throw new ToolingError("STORE_CORRUPT", error.message, {
        hint: "Remove that folder and build again.",
        cause: error,
      });
    }
    throw error;
  }
}

function notALayout(folder: string): ToolingError {
  return new ToolingError("FILE_NOT_FOUND", `"${folder}" is not an OCI image layout`, {
    hint: "Name a folder that holds a file oci-layout.",
  });
}
