// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { mergeGroup, mergeGroupShadow, mergeNameSwitch, mergePasswd, mergeShadow } from "./account.ts";

const OURS = "toolbox:x:1000:1000:toolbox:/home/toolbox:/bin/bash";

describe("the user of the image", () => {
  test("comes after the base's users", () => {
    expect(mergePasswd("root:x:0:0:root:/root:/bin/bash\n")).toBe(
      `root:x:0:0:root:/root:/bin/bash\n${OURS}\n`,
    );
  });

  test("is found before a user of the base that has the same id", () => {
    const merged = mergePasswd("root:x:0:0::/root:/bin/sh\nubuntu:x:1000:1000::/home/ubuntu:/bin/bash\n");
    expect(merged.split("\n")[1]).toBe(OURS);
    expect(merged).toContain("\nubuntu:x:1000:");
  });

  test("stands there once, however often files are merged", () => {
    for (const merge of [mergePasswd, mergeGroup, mergeShadow, mergeGroupShadow]) {
      const once = merge("root:x:0:\n");
      expect(merge(once)).toBe(once);
      expect(once).toMatch(/^root:x:0:\ntoolbox:/);
    }
  });

  test("has files of its own where the base has none", () => {
    expect(mergePasswd(undefined)).toContain(OURS);
    expect(mergeGroup(undefined)).toContain("\ntoolbox:x:1000:\n");
  });

  test("has no password, and no date of one", () => {
    expect(mergeShadow("")).toBe("toolbox:!:::::::\n");
  });
});

describe("the name switch", () => {
  test("asks last for names of uids that nobody knows", () => {
    expect(
      mergeNameSwitch("# names\npasswd:         files systemd\ngroup: files  \nhosts: files dns\n"),
    ).toBe("# names\npasswd:         files systemd unknown\ngroup: files unknown\nhosts: files dns\n");
  });

  test("stays as it is where it asks already", () => {
    const text = "passwd: files unknown\ngroup: files unknown\n";
    expect(mergeNameSwitch(text)).toBe(text);
  });
});
