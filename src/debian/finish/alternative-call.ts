// SPDX-License-Identifier: Apache-2.0

/** A link that alternatives share, or one that follows another. */
export interface AlternativeLink {
  /** Absolute path of the link that people use. */
  readonly link: string;
  /** Name below /etc/alternatives. */
  readonly name: string;
  /** Absolute path of this package's program. */
  readonly path: string;
}

/** One `update-alternatives --install`. */
export interface AlternativeCall extends AlternativeLink {
  readonly priority: number;
  readonly slaves: readonly AlternativeLink[];
}

/** What was read from a script. */
export interface AlternativeCalls {
  readonly calls: readonly AlternativeCall[];
  /** Calls with arguments that only a shell can know. */
  readonly unread: readonly string[];
}

/** Reads the `update-alternatives --install` calls of a maintainer script's text. */
export function parseAlternativeCalls(script: string): AlternativeCalls {
  const calls: AlternativeCall[] = [];
  const unread: string[] = [];
  for (const line of script.replaceAll(/\\\r?\n/gu, " ").split("\n")) {
    for (const command of line.split(/&&|\|\||[;{}()]/u)) {
      const text = command.trim().replace(/^(?:then|else|do|!)\s+/u, "");
      if (!/^(?:\/usr\/s?bin\/)?update-alternatives\s/u.test(text) || !/\s--install(?:\s|$)/u.test(text)) {
        continue;
      }
      const call = parseCall(text);
      if (call === undefined) unread.push(text);
      else calls.push(call);
    }
  }
  return { calls, unread };
}

function parseCall(text: string): AlternativeCall | undefined {
  const words = text.replace(/\s(?:#|[0-9]*>).*$/u, "").split(/\s+/u);
  const plain = words.map((word) => word.replace(/^(["'])(.*)\1$/u, "$2"));
  if (plain.some((word) => /[$`"'*?[\]<>|]/u.test(word))) return undefined;
  const start = plain.indexOf("--install");
  const [priority = "", ...others] = plain.slice(start + 4);
  const main = parseLink(plain.slice(start + 1, start + 4));
  if (main === undefined || !/^-?\d+$/u.test(priority) || others.length % 4 !== 0) return undefined;
  const slaves: AlternativeLink[] = [];
  for (let index = 0; index < others.length; index += 4) {
    const slave = parseLink(others.slice(index + 1, index + 4));
    if (others[index] !== "--slave" || slave === undefined) return undefined;
    slaves.push(slave);
  }
  return { ...main, priority: Number(priority), slaves };
}

function parseLink(words: readonly string[]): AlternativeLink | undefined {
  const [link = "", name = "", path = ""] = words;
  return link.startsWith("/") && path.startsWith("/") && isName(name) ? { link, name, path } : undefined;
}

function isName(text: string): boolean {
  return text !== "" && !text.includes("/") && !text.startsWith("-") && text !== "." && text !== "..";
}
