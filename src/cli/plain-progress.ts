// SPDX-License-Identifier: Apache-2.0
import { formatAmount, formatDuration } from "./measure.ts";
import type { ProgressView } from "./progress.ts";

/** What plain lines need. */
export interface PlainProgressOptions {
  readonly write: (text: string) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** How long a piece of work must take for its end to be worth a line of its own. */
const LONG = 2000;

/** Milliseconds after which work that goes on says so: CI systems end jobs that are silent, and people get up. */
const QUIET = 30_000;

interface Item {
  readonly start: number;
  readonly total: number | undefined;
  /** When its last line was written. */
  said: number;
}

/**
 * One line when a piece of work starts, one for each half minute that it takes, and one at its end when it took long.
 * Work that was skipped leaves no end.
 */
export function openPlainProgress({ write, now }: PlainProgressOptions): ProgressView {
  const running = new Map<string, Item>();
  let closed = false;
  return {
    show(event) {
      if (closed) return;
      const { what } = event;
      if (event.type === "started") {
        if (running.has(what)) return;
        const start = now();
        running.set(what, { start, total: event.total, said: start });
        write(
          `${what}${event.total === undefined ? "" : ` (${formatAmount(event.total, event.counted)})`}\n`,
        );
      } else if (event.type === "advanced") {
        const item = running.get(what);
        const at = now();
        if (item === undefined || at - item.said < QUIET) return;
        item.said = at;
        write(`${what}: ${describeShare(event.done, item.total)}after ${formatDuration(at - item.start)}\n`);
      } else if (event.type === "finished") {
        const item = running.get(what);
        running.delete(what);
        const took = item === undefined ? 0 : now() - item.start;
        if (!event.skipped && took >= LONG) write(`${what}: done in ${formatDuration(took)}\n`);
      } else {
        write(`${what}: ${event.note}\n`);
      }
    },
    clear() {},
    close() {
      closed = true;
    },
  };
}

function describeShare(done: number, total: number | undefined): string {
  return total === undefined || total === 0 ? "" : `${Math.floor(Math.min(1, done / total) * 100)}% `;
}
