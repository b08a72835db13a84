// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { parseAlternativeCalls } from "./alternative-call.ts";

describe("parseAlternativeCalls", () => {
  test("reads continued lines, slaves, quotes, several commands on a line and a trailing comment", () => {
    const script = `#!/bin/sh
if [ "$1" = configure ]; then update-alternatives --quiet --install /usr/bin/pager pager \\
   /usr/bin/less 77 \\
   --slave /usr/share/man/man1/pager.1.gz pager.1.gz /usr/share/man/man1/less.1.gz; fi
  /usr/bin/update-alternatives --install "/usr/bin/vi" vi '/usr/bin/vim.tiny' 15 >/dev/null || true # why
  update-alternatives --remove rcp /usr/bin/scp
  # update-alternatives --install /a a /b 1
`;
    expect(parseAlternativeCalls(script)).toEqual({
      calls: [
        {
          link: "/usr/bin/pager",
          name: "pager",
          path: "/usr/bin/less",
          priority: 77,
          slaves: [
            {
              link: "/usr/share/man/man1/pager.1.gz",
              name: "pager.1.gz",
              path: "/usr/share/man/man1/less.1.gz",
            },
          ],
        },
        { link: "/usr/bin/vi", name: "vi", path: "/usr/bin/vim.tiny", priority: 15, slaves: [] },
      ],
      unread: [],
    });
  });

  test.each([
    "update-alternatives --install /usr/bin/x x $PROGRAM 1",
    "update-alternatives --install /usr/bin/x x /usr/bin/y",
    "update-alternatives --install /usr/bin/x ../x /usr/bin/y 1",
    "update-alternatives --install /usr/bin/x x /usr/bin/y 1 --slave /a",
  ])('names a call that it cannot read: "%s"', (text) => {
    expect(parseAlternativeCalls(text)).toEqual({ calls: [], unread: [text] });
  });
});
