// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, type SmallWorkspace } from "../support/small-workspace.ts";

let workspace: SmallWorkspace;
beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write(
    "toolbox.yaml",
    "platforms: [linux/amd64, linux/arm64]\nbase: { debian: bookworm, packages: [bash, coreutils, dpkg, sed] }\n" +
      "tools: { jq: { version: '1', source: debian } }\nimages: { old: { tools: [jq] } }\n",
  );
});
afterAll(() => workspace?.remove());

// Up to bookworm, no package brings the links of a merged /usr.
test("an image of a suite before trixie has its links into /usr, and runs", async () => {
  expect(await workspace.toolbox(["lock"])).toMatchObject({ code: 0 });
  expect(await workspace.toolbox(["build"])).toMatchObject({ code: 0 });
  const script = "readlink /bin /sbin /lib && dpkg --audit && jq -n 1+1";
  const env = { TOOLBOX_ENGINE: "embedded" };
  expect(await workspace.toolbox(["sh", "-c", script], { env })).toMatchObject({
    code: 0,
    stdout: "usr/bin\nusr/sbin\nusr/lib\n2\n",
  });
});
