// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readNpmSettings } from "./npm-settings.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-npmrc-"));
});
afterEach(async () => await rm(folder, { recursive: true }));

test("the environment comes before the project, the project before the user, the user before the machine", async () => {
  const project = join(folder, "project");
  await mkdir(join(project, "below"), { recursive: true });
  await writeFile(join(project, "package.json"), "{}");
  await writeFile(
    join(folder, "npmrc"),
    "@a:registry=https://machine.example\n@b:registry=https://machine.example\n",
  );
  await writeFile(
    join(folder, ".npmrc"),
    "; text\n# text\n@b:registry = https://user.example\n//h/:_authToken=${TOKEN}\n//i/:_authToken=${GONE}\nfund=false\n",
  );
  await writeFile(
    join(project, ".npmrc"),
    '@c:registry="https://project.example"\n@d:registry=https://project.example\n',
  );
  const env = { HOME: folder, TOKEN: "secret", "npm_config_@d:registry": "https://env.example" };
  const settings = await readNpmSettings({
    env,
    cwd: join(project, "below"),
    globalFile: join(folder, "npmrc"),
  });
  expect(settings).toEqual({
    "@a:registry": "https://machine.example",
    "@b:registry": "https://user.example",
    "@c:registry": "https://project.example",
    "@d:registry": "https://env.example",
    "//h/:_authToken": "secret",
    "//i/:_authToken": "${GONE}",
  });
});

test("a machine without any settings has none", async () => {
  expect(await readNpmSettings({ env: {}, cwd: folder, globalFile: "" })).toEqual({});
});
