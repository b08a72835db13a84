// SPDX-License-Identifier: Apache-2.0

/** What {@link readPublishedFiles} found. */
export interface PublishedFiles {
  /** Files that got their name, or a second one. */
  readonly named: number;
  /** Those whose content was not on the disk before, or whose folder was not afterwards. */
  readonly unsynced: readonly string[];
}

interface Call {
  readonly name: string;
  readonly text: string;
  /** Positions in the trace. A call that ends later than it begins overlaps with others. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads what `strace -f -y` wrote of fsync, rename and link: whether every file that got a name inside of `folder` was
 * synced before, under this name or an earlier one, and its folder after that. Locks need not outlive a power loss.
 */
export function readPublishedFiles(trace: string, folder: string): PublishedFiles {
  const calls = readCalls(trace);
  const isSynced = (path: string, from: number, to: number): boolean =>
    calls.some(
      ({ begin, end, name, text }) =>
        /^f(?:data)?sync$/.test(name) && text.includes(`<${path}>`) && begin > from && end < to,
    );
  const pairs = calls
    .filter(({ name, text }) => /^(?:rename|link)/.test(name) && text.includes(`"${folder}/`))
    .map(({ begin, end, text }) => {
      const [from = "", to = ""] = [...text.matchAll(/"([^"]*)"/g)].map(([, path]) => path ?? "");
      return { begin, end, from, to };
    })
    .filter(({ to }) => !to.endsWith(".lock"));
  const earlierNames = new Map(pairs.map(({ from, to }) => [to, from]));
  const unsynced = pairs.flatMap(({ begin, end, from, to }) => {
    const names = [from, earlierNames.get(from) ?? from];
    const parent = to.slice(0, to.lastIndexOf("/"));
    const isContentSafe = names.some((name) => isSynced(name, -1, begin));
    const isNameSafe = isSynced(parent, end, Number.POSITIVE_INFINITY);
    return isContentSafe && isNameSafe ? [] : [`${from} -> ${to}`];
  });
  return { named: pairs.length, unsynced };
}

/** Calls that other threads interrupt stand in two lines. */
function readCalls(trace: string): Call[] {
  const open = new Map<string, { text: string; begin: number }>();
  return trace.split("\n").flatMap((line, at) => {
    const [, thread = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (rest.endsWith("<unfinished ...>")) {
      open.set(thread, { text: rest, begin: at });
      return [];
    }
    const resumed = rest.startsWith("<...") ? open.get(thread) : undefined;
    const { text, begin } = resumed ?? { text: rest, begin: at };
    const name = /^(\w+)\(/.exec(text)?.[1];
    return name === undefined || !rest.endsWith("= 0") ? [] : [{ name, text, begin, end: at }];
  });
}
