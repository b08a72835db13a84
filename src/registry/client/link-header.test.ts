// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { HttpResponse } from "./http-exchange.ts";
import { nextPage } from "./link-header.ts";

const answer = (link: string): HttpResponse =>
  ({ status: 200, headers: { link }, url: new URL("https://r.example/v2/a/tags/list?n=2") }) as never;

test.each([
  ['</v2/a/tags/list?n=2&last=b>; rel="next"', "https://r.example/v2/a/tags/list?n=2&last=b"],
  ["<?last=b>; rel=next", "https://r.example/v2/a/tags/list?last=b"],
  ['<https://r.example/x,y>; title="a, b"; rel="prev next"', "https://r.example/x,y"],
  ['</first>; rel="first", </second>; rel="next"', "https://r.example/second"],
])("follows %s", (link, expected) => {
  expect(nextPage(answer(link))?.href).toBe(expected);
});

test.each(["", '</x>; rel="nextish"', "</x>", 'next; rel="next"', '<"x>; rel=prev'])("ends at %j", (link) => {
  expect(nextPage(answer(link))).toBeUndefined();
});

test.each(["https://evil.example/v2/", "https://r.example:8443/v2/", "//evil.example/x"])(
  "refuses to go on at %s",
  (target) => {
    expect(() => nextPage(answer(`<${target}>; rel="next"`))).toThrow(
      expect.objectContaining({ code: "POLICY_REFUSED" }),
    );
  },
);
