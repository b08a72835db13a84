// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { ToolingError } from "../core/error.ts";

/** Algorithms that image-spec v1.1.1 registers and that we compute. */
export type DigestAlgorithm = "sha256" | "sha512";

/** A content address: algorithm, colon, lower-case hex of the right length (image-spec v1.1.1, descriptor.md#digests). */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const GRAMMAR = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

/** Whether `text` is a digest that may stand in a path or a URL. */
export function isDigest(text: string): text is Digest {
  return GRAMMAR.test(text);
}

/** @throws {ToolingError} `DIGEST_INVALID` */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new ToolingError("DIGEST_INVALID", `"${text.slice(0, 200)}" is not a digest`, {
    hint: 'Write "sha256:" and 64 lower-case hex digits (or "sha512:" and 128).',
  });
}

/** `sha256:abc...` gives `sha256`. */
export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** `sha256:abc...` gives `abc...`. */
export function encodedOf(digest: Digest): string {
  return digest.slice(digest.indexOf(":") + 1);
}

/** Takes bytes piece by piece, then gives their digest, once. */
export interface Digester {
  update(bytes: Uint8Array): void;
  digest(): Digest;
}

/** Absent `algorithm`: sha256. */
export function createDigester(algorithm: DigestAlgorithm = "sha256"): Digester {
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => `${algorithm}:${hash.digest("hex")}`,
  };
}

/** The digest of bytes at hand. Absent `algorithm`: sha256. */
export function digestOf(content: string | Uint8Array, algorithm: DigestAlgorithm = "sha256"): Digest {
  return `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;
}
