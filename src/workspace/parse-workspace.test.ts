// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { ToolDefinition } from "../catalog/index.ts";
import { ToolingError } from "../core/error.ts";
import { parseWorkspace } from "./parse-workspace.ts";
import type { Workspace } from "./workspace.ts";

const FULL = `# the team's tools
registry: registry.example.com/team
platforms: [linux/arm64, linux/amd64]
base:
  debian: trixie
  packages: [git, bash]
tools:
  kubectl: "1.34"
  helm: { version: "^3.19", source: go }
  ourlint: { source: file, path: ./bin/ourlint, summary: House rules }
images:
  aws: { extends: k8s, tools: [ourlint] }
  k8s: { tools: [kubectl, helm, jq], title: Kubernetes }
session:
  mounts: ["~/.kube:/root/.kube", { source: ./cache, target: /cache, readOnly: false }]
  credentials: [kubeconfig, aws]
  context: staging
`;

describe("parseWorkspace", () => {
  test("fills in what the file leaves out", () => {
    const workspace = parse(FULL);
    expect(workspace.platforms).toEqual(["linux/amd64", "linux/arm64"]);
    expect(workspace.base).toEqual({ kind: "debian", suite: "trixie", packages: ["bash", "git"] });
    expect([...workspace.tools.keys()]).toEqual(["helm", "jq", "kubectl", "ourlint"]);
    expect(workspace.tools.get("jq")).toMatchObject({ range: "*", own: false });
    expect(workspace.tools.get("helm")).toMatchObject({ range: "^3.19", source: "go" });
    expect(workspace.tools.get("ourlint")).toMatchObject({
      own: true,
      definition: { summary: "House rules" },
    });
    expect(workspace.tools.get("ourlint")?.definition.homepage).toBeUndefined();
    expect(workspace.compression).toBe("gzip");
    expect(workspace.session).toEqual({
      image: "k8s",
      mounts: [
        { source: "~/.kube", target: "/root/.kube", readOnly: true },
        { source: "./cache", target: "/cache", readOnly: false },
      ],
      env: [],
      credentials: ["aws", "kubeconfig"],
      context: "staging",
      namespace: undefined,
      network: undefined,
    });
  });

  test("puts parents before children and their tools first", () => {
    const { images } = parse(FULL);
    expect([...images.keys()]).toEqual(["k8s", "aws"]);
    expect(images.get("aws")?.tools).toEqual(["kubectl", "helm", "jq", "ourlint"]);
  });

  test("an empty file is a workspace that wants nothing", () => {
    expect(parse("").base).toBeUndefined();
  });

  test.each([
    ["zstd", "zstd"],
    ["{ algorithm: gzip, level: 6 }", "gzip"],
    ["{ algorithm: zstd, level: 3 }", "zstd"],
    ["{ algorithm: gzip, level: 2 }", { algorithm: "gzip", level: 2 }],
  ])("takes the compression %s, and names it in the shortest way", (written, compression) => {
    expect(parse(`compression: ${written}\n`).compression).toEqual(compression);
  });

  test.each([
    "gzip6",
    "{ algorithm: gzip, level: 13 }",
    "{ algorithm: zstd }",
    "{ algorithm: xz, level: 6 }",
  ])("refuses the compression %s", (written) => {
    expect(() => parse(`compression: ${written}\n`)).toThrow(/compression/);
  });

  test.each([
    ["an unknown key", "tols: {}\n", 1, 1, 'key "tols" is unknown', 'Did you mean "tools"?'],
    [
      "an unknown key deep inside",
      "images:\n  a:\n    tool: [jq]\n",
      3,
      5,
      'key "tool" in "images.a" is unknown',
      'Did you mean "tools"?',
    ],
    [
      "an unknown key of a wish",
      "tools:\n  jq: { verison: '1' }\n",
      2,
      9,
      'key "verison" in "tools.jq" is unknown',
      'Did you mean "version"?',
    ],
    ["a wrong type", "images: [a]\n", 1, 9, '"images" is not a mapping', "example"],
    [
      "an unquoted version",
      "tools:\n  jq: 1.70\n",
      2,
      7,
      '"tools.jq" is a number where text is needed',
      '"1.70"',
    ],
    [
      "a platform that is not built for",
      "platforms: [linux/amd46]\n",
      1,
      13,
      '"platforms.0" is "linux/amd46"',
      'Did you mean "linux/amd64"?',
    ],
    [
      "an unknown source",
      "tools:\n  jq: { source: debain }\n",
      2,
      17,
      '"tools.jq.source" is "debain"',
      'Did you mean "debian"?',
    ],
    [
      "a source that the tool lacks",
      "tools:\n  jq: { source: go }\n",
      2,
      9,
      'tool "jq" has no source "go"',
      "debian",
    ],
    ["a budget without a unit", "images:\n  a: { budget: '300' }\n", 2, 16, "300MB", "Correct"],
    ["a budget of nothing", "images:\n  a: { budget: 0MB }\n", 2, 16, "more than nothing", "Correct"],
    ["a cycle", "images:\n  a: { extends: b }\n  b: { extends: a }\n", 3, 17, "a -> b -> a", "Remove"],
    ["an image that extends itself", "images:\n  a: { extends: a }\n", 2, 17, "a -> a", "Remove"],
    [
      "an unknown parent",
      "images:\n  k8s: {}\n  b: { extends: k8 }\n",
      3,
      17,
      'extends "k8"',
      'Did you mean "k8s"?',
    ],
    ["a bad image name", "images:\n  K8s: {}\n", 2, 3, 'key "images.K8s" must be an image name', "Rename"],
    ["a session in an unknown image", "session: { image: x }\n", 1, 19, 'runs in "x"', "none"],
    [
      "a definition that is not one",
      "tools:\n  x:\n    definition:\n      binaries: [x]\n",
      3,
      5,
      '"tools.x.definition" lacks the key "summary"',
      "Add it.",
    ],
  ])("refuses %s", (_, text, line, column, message, hint) => {
    const error = failure(text);
    expect(error.position).toEqual({ file: "/w/toolbox.yaml", line, column });
    expect(error).toMatchObject({ code: "WORKSPACE_INVALID", message: expect.stringContaining(message) });
    expect(error.hint).toContain(hint);
  });

  test("an unknown tool is named with the closest one", () => {
    expect(failure("images:\n  a: { tools: [jq, kubeclt] }\n")).toMatchObject({
      code: "TOOL_UNKNOWN",
      hint: 'Did you mean "kubectl"?',
      position: { line: 2, column: 20 },
    });
  });

  test("a file tool needs a path for every platform", () => {
    expect(failure("tools:\n  x: { source: file, path: { linux/amd64: ./x } }\n")).toMatchObject({
      code: "PLATFORM_UNAVAILABLE",
      message: 'tool "x" has no file for linux/arm64',
    });
  });

  test("two tools of an image must not own one command", () => {
    const text =
      "tools:\n  jaq: { path: ./jaq, binaries: [jq] }\nimages:\n  a: { tools: [jq] }\n  b: { extends: a, tools: [jaq] }\n";
    expect(failure(text)).toMatchObject({
      code: "WORKSPACE_INVALID",
      message: 'tools "jq" and "jaq" of image "b" both have the command "jq"',
      position: { line: 5, column: 28 },
    });
  });

  test("all problems are reported, in file order", () => {
    const error = failure("tols: 1\nimages:\n  a: { tool: 1 }\nuse: []\n");
    expect(error.position?.line).toBe(1);
    const all = (error.cause as AggregateError).errors as ToolingError[];
    expect(all.map(({ position }) => position?.line)).toEqual([1, 3, 4]);
  });
});

describe("hostile YAML", () => {
  const bomb = [
    "a: &a [x,x,x,x,x,x,x,x,x]",
    ..."bcdefghi".split("").map((key, index) => {
      const previous = "abcdefgh"[index];
      return `${key}: &${key} [${Array.from({ length: 9 }, () => `*${previous}`).join(",")}]`;
    }),
  ].join("\n");

  test.each([
    ["malformed text", "tools: [a\nb: 1", "malformed"],
    ["a tab as indentation", "tools:\n\tjq: '1'\n", "malformed"],
    ["a key twice", "use: a\nuse: b\n", "written twice"],
    ["two documents", "use: a\n---\nuse: b\n", "more than one"],
    ["an alias bomb", bomb, "aliases"],
    ["a prototype key", "tools:\n  __proto__: { source: go }\n", "reserved"],
    ["a constructor key", "constructor: 1\n", "reserved"],
    ["a tag that runs code elsewhere", "use: !!js/function 'x'\n", "malformed"],
    ["a key that is a list", "? [a]\n: 1\n", "not a plain word"],
    ["deep nesting", `use: ${"[".repeat(200)}${"]".repeat(200)}\n`, "nested"],
  ])("refuses %s", (_, text, message) => {
    const error = failure(text);
    expect(error.code).toBe("WORKSPACE_INVALID");
    expect(error.message).toContain(message);
    expect(error.position?.line).toBeGreaterThan(0);
  });

  test("refuses bytes that are not UTF-8", () => {
    expect(failure(new Uint8Array([0x75, 0xff, 0xfe]))).toMatchObject({ code: "WORKSPACE_INVALID" });
  });

  test("leaves JavaScript's own objects alone", () => {
    failure("session:\n  __proto__: { polluted: yes }\n");
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

function parse(text: string | Uint8Array): Workspace {
  return parseWorkspace(text, "/w/toolbox.yaml", { catalog });
}

function failure(text: string | Uint8Array): ToolingError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ToolingError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

const catalog = new Map(["helm", "jq", "kubectl"].map((name) => [name, definition(name)]));

function definition(name: string): ToolDefinition {
  const sources: ToolDefinition["sources"] = [{ source: "debian", package: name }];
  return {
    name,
    summary: name,
    homepage: "https://example.com/",
    license: "MIT",
    binaries: [name],
    version: { args: ["--version"], contains: "{{version}}" },
    examples: [],
    sources: name === "jq" ? sources : [...sources, { source: "go", module: `example.com/${name}` }],
  };
}
