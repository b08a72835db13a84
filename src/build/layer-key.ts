// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { ENCODERS } from "../archive/index.ts";
import { formatCanonicalJson } from "../core/json.ts";
import { PYTHON_COMPILER } from "../python/index.ts";

/**
 * Version of the recipe that turns a lock entry into a tar. Raise it whenever the same entry would give other
 * bytes, so that layers of an earlier release are never mistaken for ours.
 */
const LAYER_FORMAT = 5;

/**
 * Names a layer by what it is made from: `sha256:` and the hash of the canonical JSON of `ingredients`, the
 * recipe version, the encoders and the compiler of Python modules. Equal keys promise equal bytes; it is not the digest
 * of anything stored.
 */
export function formatLayerKey(ingredients: Readonly<Record<string, unknown>>): string {
  const made = { encoders: ENCODERS, compiler: PYTHON_COMPILER, format: LAYER_FORMAT };
  const recipe = formatCanonicalJson({ ...ingredients, ...made });
  return `sha256:${createHash("sha256").update(recipe).digest("hex")}`;
}
