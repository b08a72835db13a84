// SPDX-License-Identifier: Apache-2.0
import type { ArchiveEntry } from "../../archive/index.ts";
import { resolveMergedPath } from "../merged-usr.ts";
import { textEntryOf } from "../package-file.ts";
import type { AlternativeCall, AlternativeLink } from "./alternative-call.ts";

/** A file of `/var/lib/dpkg/alternatives`, as update-alternatives(1) keeps it. */
export interface AlternativeGroup {
  readonly name: string;
  /** `auto`: the choice of the highest priority counts; `manual`: somebody chose. */
  readonly status: string;
  /** Absolute path of the link that people use. */
  readonly link: string;
  /** Links that follow, by name, with their absolute paths. */
  readonly slaves: ReadonlyMap<string, string>;
  readonly choices: readonly AlternativeChoice[];
}

/** One program that a link may lead to. */
export interface AlternativeChoice {
  readonly path: string;
  readonly priority: number;
  /** Absolute paths by the names of slaves; a slave that is missing has no file with this choice. */
  readonly slaves: ReadonlyMap<string, string>;
}

/** Folder of the groups. */
export const ALTERNATIVES_FOLDER = "var/lib/dpkg/alternatives";

/** Reads a group's file. Absent: it is not one. */
export function parseAlternativeGroup(name: string, text: string): AlternativeGroup | undefined {
  const lines = text.split("\n");
  const [status = "", link = ""] = lines.splice(0, 2);
  if (!/^(?:auto|manual)$/u.test(status) || !link.startsWith("/")) return undefined;
  const slaves = new Map<string, string>();
  while (lines.length > 0 && lines[0] !== "") {
    const [slave = "", place = ""] = lines.splice(0, 2);
    slaves.set(slave, place);
  }
  return { name, status, link, slaves, choices: parseChoices(lines.slice(1), [...slaves.keys()]) };
}

function parseChoices(lines: readonly string[], slaves: readonly string[]): readonly AlternativeChoice[] {
  const choices: AlternativeChoice[] = [];
  const step = 2 + slaves.length;
  for (let at = 0; at < lines.length && lines[at] !== ""; at += step) {
    const [path = "", priority, ...paths] = lines.slice(at, at + step);
    const named = slaves.map((slave, index) => [slave, paths[index] ?? ""] as const);
    const following = new Map(named.filter(([, target]) => target !== ""));
    choices.push({ path, priority: Number(priority), slaves: following });
  }
  return choices;
}

/** The group after these `--install` calls, in any order. Absent `group`: there was none. */
export function installAlternatives(
  name: string,
  group: AlternativeGroup | undefined,
  calls: readonly AlternativeCall[],
): AlternativeGroup {
  const before = group ?? { status: "auto", link: calls[0]?.link ?? "", slaves: new Map(), choices: [] };
  const choices = new Map(before.choices.map((choice) => [choice.path, choice]));
  const slaves = new Map(before.slaves);
  for (const { path, priority, slaves: following } of calls) {
    choices.set(path, {
      path,
      priority,
      slaves: new Map(following.map((slave) => [slave.name, slave.path])),
    });
    for (const slave of following) slaves.set(slave.name, slave.link);
  }
  return {
    name,
    status: before.status,
    link: before.link,
    slaves: new Map([...slaves].toSorted(([a], [b]) => compare(a, b))),
    choices: [...choices.values()].toSorted((a, b) => compare(a.path, b.path)),
  };
}

/** The choice that counts when nobody chose: the first of the highest priority. */
export function bestChoice({ choices }: AlternativeGroup): AlternativeChoice | undefined {
  return choices.reduce<AlternativeChoice | undefined>(
    (best, choice) => (best === undefined || choice.priority > best.priority ? choice : best),
    undefined,
  );
}

/** The group's file. */
export function groupEntryOf({ name, status, link, slaves, choices }: AlternativeGroup): ArchiveEntry {
  const lines = [status, link, ...[...slaves].flat(), ""];
  for (const choice of choices) {
    const paths = [...slaves.keys()].map((slave) => choice.slaves.get(slave) ?? "");
    lines.push(choice.path, String(choice.priority), ...paths);
  }
  return textEntryOf(`${ALTERNATIVES_FOLDER}/${name}`, `${lines.join("\n")}\n\n`);
}

/** What stands where links are to be made. */
export interface AlternativePlaces {
  /** Whether there is a file, by its absolute path. */
  readonly has: (path: string) => boolean;
  /** Whether something that is no link stands at a path without a leading slash, where it then stays. */
  readonly isPlain: (path: string) => boolean;
}

/**
 * The links of a group to one of its choices, two for each name. A slave whose file was left out (a manual page, say)
 * gets none, as with the real command.
 */
export function alternativeLinks(
  group: AlternativeGroup,
  choice: AlternativeChoice,
  { has, isPlain }: AlternativePlaces,
): readonly ArchiveEntry[] {
  const following = [...group.slaves].flatMap(([name, link]): AlternativeLink[] => {
    const path = choice.slaves.get(name);
    return path === undefined ? [] : [{ name, link, path }];
  });
  return [{ name: group.name, link: group.link, path: choice.path }, ...following].flatMap(
    ({ name, link, path }): ArchiveEntry[] => {
      const place = resolveMergedPath(link.slice(1));
      if (!has(path) || isPlain(place)) return [];
      const base = { type: "symlink", mode: 0o777, uid: 0, gid: 0 } as const;
      return [
        { ...base, path: place, target: `/etc/alternatives/${name}` },
        { ...base, path: `etc/alternatives/${name}`, target: path },
      ];
    },
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
