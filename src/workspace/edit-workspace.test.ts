// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { addTool, newWorkspaceText, setUse } from "./edit-workspace.ts";
import { parseYamlText } from "../catalog/index.ts";

const TEXT = `# our tools
platforms: [linux/amd64]

tools: # wishes
  jq: "1.7" # pinned on purpose
  helm: { version: "^3.18", source: go }

images:
  k8s: { tools: [jq, helm] } # the one
  aws:
    extends: k8s
`;

describe("addTool", () => {
  test("adds a wish and puts it into the first image; all else stays byte for byte", async () => {
    const text = await addTool(TEXT, "toolbox.yaml", "yq", { range: "1.30" });
    expect(text).toBe(
      TEXT.replace("source: go }\n", 'source: go }\n  yq: "1.30"\n').replace("[jq, helm]", "[jq, helm, yq]"),
    );
  });

  test("changes the range of a tool that is there, in either form", async () => {
    const text = await addTool(await addTool(TEXT, "f", "helm", { range: "^4" }), "f", "jq", {
      range: "^1.8",
    });
    expect(text).toBe(TEXT.replace("^3.18", "^4").replace('"1.7"', '"^1.8"'));
  });

  test("adding twice changes nothing more", async () => {
    const once = await addTool(TEXT, "f", "yq");
    expect(await addTool(once, "f", "yq")).toBe(once);
  });

  test("gives an image without tools a list", async () => {
    const text = await addTool(TEXT, "f", "yq", { image: "aws" });
    expect(parseYamlText(text, "f", "WORKSPACE_INVALID").value).toMatchObject({
      images: { aws: { extends: "k8s", tools: ["yq"] } },
    });
  });

  test("fills an empty file", async () => {
    expect(
      parseYamlText(await addTool("", "f", "jq", { range: "^1.7" }), "f", "WORKSPACE_INVALID").value,
    ).toEqual({
      tools: { jq: "^1.7" },
    });
  });

  test("refuses an image that is not there", async () => {
    await expect(addTool(TEXT, "f", "jq", { image: "gcp" })).rejects.toMatchObject({
      code: "WORKSPACE_INVALID",
    });
  });
});

describe("setUse", () => {
  test.each([
    ["use: team/tools:1.4.0 # pinned on purpose\n", "use: team/tools:1.5.0 # pinned on purpose\n"],
    ["# a\nuse:  'team/tools:1.4.0'\n\nsession: {}\n", "# a\nuse:  'team/tools:1.5.0'\n\nsession: {}\n"],
    ['{ use: "team/tools:1.4.0", session: {} }', '{ use: "team/tools:1.5.0", session: {} }'],
    ["use:\r\n  team/tools:1.4.0\r\n", "use:\r\n  team/tools:1.5.0\r\n"],
  ])("changes the reference in %j and nothing else", async (text, after) => {
    expect(await setUse(text, "f", "team/tools:1.5.0")).toBe(after);
  });

  test.each(["tools: {}\n", ""])("refuses a file without it: %j", async (text) => {
    await expect(setUse(text, "f", "team/tools:1.5.0")).rejects.toMatchObject({ code: "WORKSPACE_INVALID" });
  });
});

describe("newWorkspaceText", () => {
  test("is a workspace that keeps its comments", () => {
    const text = newWorkspaceText({ image: "tooling", tools: ["jq", "kubectl"], schema: "./schema.json" });
    expect(text).toMatch(/^# yaml-language-server: \$schema=/);
    expect(parseYamlText(text, "f", "WORKSPACE_INVALID").value).toMatchObject({
      tools: { jq: "*", kubectl: "*" },
      images: { tooling: { tools: ["jq", "kubectl"] } },
    });
  });
});
