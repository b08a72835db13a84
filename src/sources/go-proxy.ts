// SPDX-License-Identifier: Apache-2.0

/** One entry of GOPROXY that is an address. */
export interface GoProxy {
  /** Without a trailing slash. */
  readonly address: string;
  /** The next entry may answer after any error, not only when this one does not have the module. */
  readonly passOnAnyError: boolean;
}

/**
 * The addresses of a GOPROXY setting in order. `direct` is left out, and everything from `off` on.
 * The separator behind an entry says when the next one is asked (go command reference, "GOPROXY protocol").
 */
export function goProxies(setting: string): readonly GoProxy[] {
  const proxies: GoProxy[] = [];
  for (const [, entry = "", separator] of setting.matchAll(/([^,|]+)([,|]?)/g)) {
    const address = entry.trim();
    if (address === "off") break;
    if (/^https?:\/\//.test(address)) {
      proxies.push({ address: address.replace(/\/+$/, ""), passOnAnyError: separator === "|" });
    }
  }
  return proxies;
}
