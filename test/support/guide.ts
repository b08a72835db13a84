// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./programs.ts";

/** A fenced block of a guide that a test carries out. */
export interface GuideBlock {
  readonly language: "sh" | "yaml";
  /** Whether docker has to be there. */
  readonly needsDocker: boolean;
  readonly text: string;
  /** Lines that the block prints, as the guide shows them. Absent: it shows none. */
  readonly output?: string;
}

/** One opening fence with its words, the text, and the closing fence. */
const FENCE = /^```(?<words>\S.*)\n(?<text>[^]*?)^```$/gm;

/** The blocks of a guide that say `test`, each with the `text` block that follows it. */
export function readGuide(name: string, fill: (text: string) => string): GuideBlock[] {
  const guide = fill(readFileSync(join(ROOT, "docs/guides", name), "utf8"));
  const blocks: GuideBlock[] = [];
  for (const { groups = {} } of guide.matchAll(FENCE)) {
    const { words = "", text = "" } = groups;
    const last = blocks.at(-1);
    if (words === "text" && last !== undefined) blocks.splice(-1, 1, { ...last, output: text });
    else blocks.push(blockOf(words, text, name));
  }
  return blocks;
}

function blockOf(words: string, text: string, guide: string): GuideBlock {
  const found = /^(?<language>sh|yaml) test(?<docker> docker)?$/.exec(words)?.groups;
  if (found === undefined) throw new TypeError(`${guide} has a block that no test carries out: ${words}`);
  return {
    language: found["language"] === "sh" ? "sh" : "yaml",
    needsDocker: found["docker"] !== undefined,
    text,
  };
}

/** The shell blocks of a guide as one script, which stops at the first failure and tells its blocks apart. */
export function scriptOf(blocks: readonly GuideBlock[]): string {
  const parts = blocks.map(({ text }, index) => `echo '${markOf(index)}'\n${text}`);
  return `set -euo pipefail\n${parts.join("")}echo '${markOf(blocks.length)}'\n`;
}

/** What each block of {@link scriptOf} printed. */
export function outputsOf(stdout: string, blocks: readonly GuideBlock[]): string[] {
  return blocks.map((_, index) => {
    const start = stdout.indexOf(markOf(index)) + markOf(index).length;
    return stdout.slice(start, stdout.indexOf(markOf(index + 1)));
  });
}

function markOf(index: number): string {
  return `=== block ${index} ===`;
}
