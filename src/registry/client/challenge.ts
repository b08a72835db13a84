// SPDX-License-Identifier: Apache-2.0

/** One way to authenticate that a server offers (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case. A challenge with a bare token has none. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** More than any server sends; keeps hostile headers cheap. */
const LONGEST_HEADER = 16 * 1024;

/**
 * Reads `WWW-Authenticate`. Challenges and their parameters are both separated by commas, so what follows a comma is
 * a new challenge when a word stands there without `=`. What cannot be read ends the list.
 */
export function parseChallenges(headers: string | readonly string[] | undefined): Challenge[] {
  const all = typeof headers === "string" ? [headers] : (headers ?? []);
  return all.flatMap((header) => new ChallengeReader(header.slice(0, LONGEST_HEADER)).readAll());
}

class ChallengeReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  readAll(): Challenge[] {
    const challenges: Challenge[] = [];
    for (;;) {
      this.#skip(/[\s,]*/y);
      const scheme = this.#take(TOKEN);
      if (scheme === undefined) return challenges;
      challenges.push({ scheme: scheme.toLowerCase(), parameters: this.#readParameters() });
    }
  }

  #readParameters(): Record<string, string> {
    const parameters = new Map<string, string>();
    for (;;) {
      const start = this.#at;
      this.#skip(/[\s,]*/y);
      const name = this.#take(TOKEN);
      if (name === undefined) return Object.fromEntries(parameters);
      const value = this.#readValue();
      if (value === undefined) {
        // A word alone after a comma starts the next challenge; right after the scheme it is a token, which says nothing here.
        const isNext = this.#text.slice(start, this.#at).includes(",") || parameters.size > 0;
        if (isNext) this.#at = start;
        else this.#skip(/[A-Za-z0-9._~+/-]*=*/y);
        if (isNext) return Object.fromEntries(parameters);
        continue;
      }
      if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value);
    }
  }

  #readValue(): string | undefined {
    const start = this.#at;
    this.#skip(/\s*/y);
    if (this.#take(/=(?!=|\s*(?:,|$))/y) === undefined) {
      this.#at = start;
      return undefined;
    }
    this.#skip(/\s*/y);
    const quoted = this.#take(/"(?:[^"\\]|\\.)*"/sy);
    if (quoted !== undefined) return quoted.slice(1, -1).replaceAll(/\\(.)/gs, "$1");
    // Values with a colon or a slash should be quoted; servers that forget are understood.
    return this.#take(/[^\s,"]+/y);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skip(pattern: RegExp): void {
    this.#take(pattern);
  }
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
