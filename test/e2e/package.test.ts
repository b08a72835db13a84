// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder, outputOf, ROOT, runProgram, type TemporaryFolder } from "../support/programs.ts";

let folder: TemporaryFolder;
let files: readonly string[];
beforeAll(async () => {
  folder = await makeFolder("package");
  const packed = await outputOf("npm", ["pack", "--json", "--pack-destination", folder.path], { cwd: ROOT });
  const [tarball] = JSON.parse(packed) as { filename: string; files: { path: string }[] }[];
  files = tarball?.files.map(({ path }) => path) ?? [];
  await outputOf("npm", [
    "install",
    "--prefix",
    folder.path,
    "--omit=dev",
    join(folder.path, tarball?.filename ?? ""),
  ]);
});
afterAll(async () => folder?.remove());

test("the package holds the program, the catalog and the schema, and nothing of the workshop", () => {
  expect(files).toEqual(
    expect.arrayContaining([
      "dist/cli/main.js",
      "catalog/kubectl.yaml",
      "schema/toolbox.schema.json",
      "LICENSE",
      "README.md",
    ]),
  );
  expect(files.filter((path) => /\.test\.|^(?:src|test|examples|images|node_modules)\//.test(path))).toEqual(
    [],
  );
});

test.each(["toolbox", "tbx"])("`%s` is installed, and knows its version and its catalog", async (name) => {
  const program = join(folder.path, "node_modules/.bin", name);
  expect(await outputOf(program, ["--version"])).toMatch(/^\d+\.\d+\.\d+/);
  const { tools } = JSON.parse(await outputOf(program, ["tools", "--catalog", "--json"])) as {
    tools: { name: string }[];
  };
  expect(tools.map((tool) => tool.name)).toEqual(expect.arrayContaining(["helm", "jq", "kubectl", "yq"]));
});

test("a new workspace starts with `init`, and a typing error is met with a suggestion", async () => {
  const program = join(folder.path, "node_modules/.bin/toolbox");
  const cwd = folder.path;
  await outputOf(program, ["init", "jq", "--image", "team-tools"], { cwd });
  const { code, stdout } = await runProgram(program, ["add", "kubeclt", "--json"], { cwd });
  expect(code).not.toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: "TOOL_UNKNOWN", hint: expect.stringContaining("kubectl") },
  });
});

test("output piped into a program that ends early is no error", async () => {
  const program = join(folder.path, "node_modules/.bin/toolbox");
  const { code, stdout, stderr } = await runProgram("bash", [
    "-o",
    "pipefail",
    "-c",
    `"${program}" --help | head -n 1`,
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(/^Usage: toolbox/);
});
