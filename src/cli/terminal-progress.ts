// SPDX-License-Identifier: Apache-2.0
import { formatAmount, formatDuration } from "./measure.ts";
import type { ProgressView } from "./progress.ts";

/** What bars need. */
export interface TerminalProgressOptions {
  readonly write: (text: string) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly columns: () => number;
  readonly color: boolean;
}

/** Milliseconds between two drawings: smooth for eyes, cheap for the terminal. */
const INTERVAL = 80;
const MOST_BARS = 8;
const BAR_WIDTH = 20;

interface Item {
  readonly what: string;
  readonly start: number;
  readonly total?: number | undefined;
  readonly counted?: string | undefined;
  done: number;
}

/** One bar for each piece of work that goes on, redrawn in place; a line stays when one ends. */
export function openTerminalProgress({ write, now, columns, color }: TerminalProgressOptions): ProgressView {
  const items = new Map<string, Item>();
  let drawn = 0;
  let lastDrawing = Number.NEGATIVE_INFINITY;
  let closed = false;

  const erase = (): string => (drawn === 0 ? "" : `\u001B[${drawn}A\u001B[J`);
  const draw = (above: readonly string[] = []): void => {
    if (above.length === 0 && now() - lastDrawing < INTERVAL) return;
    lastDrawing = now();
    const width = columns() - 1;
    const bars = [...items.values()].slice(0, MOST_BARS).map((item) => cut(barOf(item, now()), width));
    const hidden = items.size - bars.length;
    if (hidden > 0) bars.push(cut(`  and ${hidden} more`, width));
    const lines = [...above.map((line) => paint(cut(line, width), color)), ...bars];
    write(`${erase()}${lines.map((line) => `${line}\n`).join("")}`);
    drawn = bars.length;
  };
  const clear = (): void => {
    if (drawn > 0) write(erase());
    drawn = 0;
    lastDrawing = Number.NEGATIVE_INFINITY;
  };

  return {
    show(event) {
      if (closed) return;
      const item = items.get(event.what);
      if (event.type === "started") {
        const { what, total, counted } = event;
        items.set(what, item ?? { what, total, counted, start: now(), done: 0 });
        draw();
      } else if (event.type === "advanced") {
        if (item) item.done = event.done;
        draw();
      } else if (event.type === "finished") {
        items.delete(event.what);
        draw(event.skipped ? [] : [doneLine(event.what, item, now())]);
      } else {
        draw([`  ${event.what}: ${event.note}`]);
      }
    },
    clear,
    close() {
      clear();
      closed = true;
    },
  };
}

function barOf({ what, done, total, counted, start }: Item, at: number): string {
  if (total === undefined || total === 0) {
    return `  ${what}  ${done > 0 ? formatAmount(done, counted) : formatDuration(Math.max(0, at - start))}`;
  }
  const share = Math.min(1, done / total);
  const full = Math.round(share * BAR_WIDTH);
  const bar = `${"#".repeat(full)}${".".repeat(BAR_WIDTH - full)}`;
  return `  [${bar}] ${String(Math.floor(share * 100)).padStart(3)}%  ${what}  ${formatAmount(total, counted)}`;
}

function doneLine(what: string, item: Item | undefined, at: number): string {
  return `* ${what}${item === undefined ? "" : `  ${formatDuration(at - item.start)}`}`;
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 3))}...`;
}

function paint(line: string, color: boolean): string {
  return color && line.startsWith("* ") ? `\u001B[32m*\u001B[39m${line.slice(1)}` : line;
}
