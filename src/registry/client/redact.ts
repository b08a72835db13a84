// SPDX-License-Identifier: Apache-2.0

const SHOWN = new Set(["scope", "service", "mount", "from", "digest", "n", "last"]);

/** A URL that may be shown: no user, no fragment, and no query values but those known to hold no secret. */
export function redactUrl(url: URL): string {
  const query = [...url.searchParams].map(([name, value]) => `${name}=${SHOWN.has(name) ? value : "..."}`);
  return `${url.protocol}//${url.host}${url.pathname}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}
