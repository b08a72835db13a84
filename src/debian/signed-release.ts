// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import type { Key } from "openpgp";
import { isSystemError, ToolingError } from "../core/error.ts";

/** The public keys that a suite may be signed with. */
export interface Keyring {
  /** Where it came from, for messages. */
  readonly path: string;
  readonly keys: readonly Key[];
}

/** Where Debian's own package puts the archive's keys. */
export const MACHINE_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Optional parts of {@link openKeyring}. */
export interface OpenKeyringOptions {
  /** The one to use, such as what `Signed-By` names. Absent: the machine's, else the one shipped with this package. */
  readonly path?: string | undefined;
  /** The machine's. Absent: {@link MACHINE_KEYRING}. */
  readonly machinePath?: string | undefined;
}

/**
 * Reads a keyring of OpenPGP public keys, binary or armored.
 *
 * @throws {ToolingError} `FILE_UNREADABLE`, `DEBIAN_SIGNATURE_INVALID` when it is none.
 */
export async function openKeyring({
  path,
  machinePath = MACHINE_KEYRING,
}: OpenKeyringOptions = {}): Promise<Keyring> {
  const shipped = new URL("../../catalog/keys/debian-archive-keyring.asc", import.meta.url);
  const file =
    path === undefined
      ? ((await readIfPresent(machinePath)) ?? {
          path: "debian-archive-keyring.asc of this package",
          bytes: await readFile(shipped),
        })
      : await readIfPresent(path);
  if (file === undefined) {
    throw new ToolingError("FILE_UNREADABLE", `keyring "${path}" cannot be read`, {
      hint: "Check the path of the keyring.",
    });
  }
  const { readKeys } = await import("openpgp");
  try {
    const isBinary = ((file.bytes[0] ?? 0) & 0x80) !== 0;
    const keys = isBinary
      ? await readKeys({ binaryKeys: file.bytes })
      : await readKeys({ armoredKeys: file.bytes.toString("latin1") });
    return { path: file.path, keys };
  } catch (cause) {
    throw new ToolingError("DEBIAN_SIGNATURE_INVALID", `"${file.path}" is not a keyring of public keys`, {
      hint: "Name a file of OpenPGP public keys.",
      cause,
    });
  }
}

/**
 * The text of an InRelease file that a key of `keyring` signed. Whatever stands outside of the signature is not part
 * of it (RFC 9580, section 7). Every signature by a known key must hold, and there must be at least one.
 *
 * @throws {ToolingError} `DEBIAN_SIGNATURE_INVALID`
 */
export async function verifyInRelease(
  inRelease: string,
  keyring: Keyring,
  { now, suite }: { readonly now: Date; readonly suite: string },
): Promise<string> {
  const { readCleartextMessage, verify } = await import("openpgp");
  let message;
  try {
    message = await readCleartextMessage({ cleartextMessage: inRelease });
  } catch (cause) {
    throw invalidSignature(suite, "the file is not a signed text", cause);
  }
  const { data, signatures } = await verify({ message, verificationKeys: [...keyring.keys], date: now });
  const known = new Set(keyring.keys.flatMap((key) => key.getKeyIDs().map((id) => id.toHex())));
  let good = 0;
  for (const { keyID, verified } of signatures) {
    try {
      await verified;
      good += 1;
    } catch (cause) {
      // Debian signs with the keys of the next release too, which an older keyring does not hold.
      if (known.has(keyID.toHex())) throw invalidSignature(suite, "a signature does not hold", cause);
    }
  }
  if (good === 0) throw invalidSignature(suite, `none of its signatures is by a key of "${keyring.path}"`);
  return data;
}

async function readIfPresent(path: string): Promise<{ path: string; bytes: Buffer } | undefined> {
  try {
    return { path, bytes: await readFile(path) };
  } catch (error) {
    if (isSystemError(error, "ENOENT", "EACCES", "EISDIR", "ENOTDIR")) return undefined;
    throw error;
  }
}

function invalidSignature(suite: string, what: string, cause?: unknown): ToolingError {
  return new ToolingError(
    "DEBIAN_SIGNATURE_INVALID",
    `the index of suite "${suite}" is not trusted: ${what}`,
    {
      hint: "Check the mirror's address, this machine's clock, and that the keyring is up to date.",
      cause,
    },
  );
}
