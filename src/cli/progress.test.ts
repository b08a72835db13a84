// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { ProgressEvent } from "../core/operation.ts";
import { openPlainProgress } from "./plain-progress.ts";
import { openProgress, type ProgressView } from "./progress.ts";
import { openTerminalProgress } from "./terminal-progress.ts";

const EVENTS: readonly ProgressEvent[] = [
  { type: "started", what: "helm.tar.gz", total: 1_500_000 },
  { type: "advanced", what: "helm.tar.gz", done: 750_000 },
  { type: "finished", what: "helm.tar.gz", skipped: false },
  { type: "finished", what: "jq.deb", skipped: true },
  { type: "noted", what: "helm", note: "source release: not reachable" },
];

describe("plain lines", () => {
  test("one at the start, one at the end of long work, none for what was there", () => {
    const { view, text } = plain();
    for (const event of EVENTS) view.show(event);
    expect(text()).toBe(
      "helm.tar.gz (1.5 MB)\nhelm.tar.gz: done in 6.0 s\nhelm: source release: not reachable\n",
    );
  });

  test("say twice a minute how far long work is, and count what is counted", () => {
    const { view, text } = plain();
    const what = "compile helm";
    view.show({ type: "started", what, total: 30, counted: "packages" });
    for (let done = 1; done <= 30; done += 1) view.show({ type: "advanced", what, done });
    expect(text().split("\n").slice(0, -1)).toEqual([
      "compile helm (30 packages)",
      "compile helm: 33% after 30.0 s",
      "compile helm: 66% after 1 min 0 s",
      "compile helm: 100% after 1 min 30 s",
    ]);
  });

  test("hold no escape sequence", () => {
    const { view, text } = plain();
    for (const event of EVENTS) view.show(event);
    expect(text()).not.toContain("\u001B");
  });

  test("a closed view says nothing more", () => {
    const { view, text } = plain();
    view.close();
    for (const event of EVENTS) view.show(event);
    expect(text()).toBe("");
  });
});

describe("bars", () => {
  test("are redrawn in place and leave a line at the end", () => {
    const { view, text } = terminal();
    for (const event of EVENTS.slice(0, 3)) view.show(event);
    expect(text()).toContain("[##########..........]  50%  helm.tar.gz  1.5 MB\n");
    expect(text()).toContain("\u001B[1A\u001B[J");
    expect(text()).toMatch(/\* helm\.tar\.gz {2}\d/);
  });

  test("count what is counted", () => {
    const { view, text } = terminal();
    view.show({ type: "started", what: "compile helm", total: 975, counted: "packages" });
    expect(text()).toContain("0%  compile helm  975 packages\n");
  });

  test("never exceed the width of the terminal", () => {
    const { view, text } = terminal({ columns: 30 });
    view.show({ type: "started", what: "x".repeat(200), total: 10 });
    const lines = text().split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(29);
  });

  test("many of them are counted instead of shown", () => {
    const { view, text } = terminal();
    for (let item = 0; item < 20; item += 1) view.show({ type: "started", what: `file ${item}` });
    expect(text()).toContain("and 12 more");
  });

  test("are taken away before a whole line is written", () => {
    const { view, text } = terminal();
    view.show({ type: "started", what: "a" });
    view.clear();
    expect(text().endsWith("\u001B[1A\u001B[J")).toBe(true);
  });

  test("have no colour under NO_COLOR, and are plain lines on a dumb terminal", () => {
    expect(shownWith({ NO_COLOR: "1" })).not.toContain("\u001B[32m");
    expect(shownWith({})).toContain("\u001B[32m");
    expect(shownWith({ TERM: "dumb" })).not.toContain("\u001B");
  });
});

function shownWith(env: Record<string, string>): string {
  let text = "";
  const stderr = { write: (part: string) => void (text += part), flush: async () => {} };
  const view = openProgress({ stderr, env, terminal: { stderr: true }, columns: () => 80 });
  for (const event of EVENTS) view.show(event);
  return text;
}

function plain(): { view: ProgressView; text: () => string } {
  let text = "";
  return {
    view: openPlainProgress({ write: (part) => void (text += part), now: clock(3000) }),
    text: () => text,
  };
}

function terminal({ columns = 80 } = {}): { view: ProgressView; text: () => string } {
  let text = "";
  const write = (part: string): void => void (text += part);
  return {
    view: openTerminalProgress({ write, now: clock(100), columns: () => columns, color: false }),
    text: () => text,
  };
}

/** A clock that goes forward by `step` each time it is asked. */
function clock(step: number): () => number {
  let time = 0;
  return () => (time += step);
}
