// SPDX-License-Identifier: Apache-2.0
import { formatDuration, formatSize } from "./measure.ts";
import type { ProgressView } from "./progress.ts";

/** What plain lines need. */
export interface PlainProgressOptions {
  readonly write: (text: string) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

/** How long a piece of work must take for its end to be worth a line of its own. */
const LONG = 2000;

/** One line when a piece of work starts; one more at its end when it took long. Work that was skipped leaves no end. */
export function openPlainProgress({ write, now }: PlainProgressOptions): ProgressView {
  const running = new Map<string, { readonly start: number; done: number }>();
  let closed = false;
  return {
    show(event) {
      if (closed) return;
      const { what } = event;
      if (event.type === "started") {
        if (running.has(what)) return;
        running.set(what, { start: now(), done: 0 });
        write(`${what}${event.total === undefined ? "" : ` (${formatSize(event.total)})`}\n`);
      } else if (event.type === "advanced") {
        const item = running.get(what);
        if (item) item.done = event.done;
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
