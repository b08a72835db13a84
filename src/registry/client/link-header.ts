// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../../core/error.ts";
import { headerOf, type HttpResponse, resolveLocation } from "./http-exchange.ts";

/**
 * The next page of a list (RFC 8288, `rel="next"`). `undefined` when this is the last one.
 *
 * @throws {ToolingError} `POLICY_REFUSED` when it is on another host
 */
export function nextPage(response: HttpResponse): URL | undefined {
  for (const part of headerOf(response, "link")
    ?.slice(0, 16_384)
    .split(/,\s*(?=<)/) ?? []) {
    const match = /^<([^<>]*)>((?:\s*;\s*[a-z*]+\s*=\s*(?:"[^"]*"|[^\s";,]+))*)\s*$/i.exec(part.trim());
    if (match === null || !/;\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next\b)/i.test(match[2] ?? ""))
      continue;
    const url = resolveLocation(match[1] ?? "", response.url, "next page");
    if (url.origin === response.url.origin) return url;
    throw new ToolingError("POLICY_REFUSED", `"${response.url.host}" continues a list at "${url.host}"`, {
      hint: "Ask whoever runs that registry.",
    });
  }
  return undefined;
}
