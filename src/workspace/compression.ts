// SPDX-License-Identifier: Apache-2.0

/** How layers are compressed. */
export interface Compression {
  readonly algorithm: "gzip" | "zstd";
  readonly level: number;
}

/** An algorithm at its usual level by its name alone, so that locks of it stay as they were; else with the level. */
export type CompressionChoice = Compression["algorithm"] | Compression;

const USUAL_LEVELS: Readonly<Record<Compression["algorithm"], number>> = { gzip: 6, zstd: 3 };

/** The algorithm with its level. */
export function resolveCompression(choice: CompressionChoice): Compression {
  return typeof choice === "string" ? { algorithm: choice, level: USUAL_LEVELS[choice] } : choice;
}

/** The shortest way to say the same. */
export function shortenCompression(choice: CompressionChoice): CompressionChoice {
  const { algorithm, level } = resolveCompression(choice);
  return level === USUAL_LEVELS[algorithm] ? algorithm : { algorithm, level };
}
