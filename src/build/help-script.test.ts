// SPDX-License-Identifier: Apache-2.0
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatBannerLines, formatHelpScript } from "./help-script.ts";
import type { ImageTool } from "./image-tool.ts";
import { cleanLine, quoteShellWord } from "./shell-text.ts";

const run = promisify(execFile);
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-help-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe("toolbox-help", () => {
  test("lists tools in columns, with an example of each", async () => {
    const { stdout } = await help([]);
    expect(stdout).toBe(
      [
        "tooling-k8s",
        "  helm     3.19.4  Package manager for Kubernetes",
        '  kubectl  1.34.2  It\'s $(not) a "trap" `here`',
        "",
        "Examples",
        "  helm lint .  # Check the chart in this folder",
        "",
        "toolbox-help TOOL tells more about one of them.",
        "",
      ].join("\n"),
    );
  });

  test("tells all about one tool, by its name or by one of its commands", async () => {
    const { stdout } = await help(["helm"]);
    expect(stdout).toContain("helm 3.19.4\nPackage manager for Kubernetes\n");
    expect(stdout).toContain("  helm lint .   # Check the chart in this folder\n  helm version  # Tell");
    expect((await help(["kubectl-convert"])).stdout).toContain("kubectl 1.34.2");
  });

  test("leaves out the homepage of a tool that has none", async () => {
    expect((await help(["helm"])).stdout).toContain("  home      https://helm.sh\n");
    const own = { summary: "Deploys", license: "NOASSERTION", binaries: ["deploy"], examples: [] };
    const { stdout } = await help(["deploy"], {}, [{ name: "deploy", version: "0.0.0+1", ...own }]);
    expect(stdout).toContain("Deploys\n  license   NOASSERTION\n  commands  deploy\n");
  });

  test("says what is wrong with a name that it does not know, and how to go on", async () => {
    await expect(help(["%s"])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('toolbox-help: "%s" is not in this image'),
    });
  });

  test("explains itself", async () => {
    expect((await help(["--help"])).stdout).toContain("Usage: toolbox-help [TOOL]");
  });

  test("writes no colours into a pipe", async () => {
    expect((await help([])).stdout).not.toContain("\u001b");
  });

  test("starts no program", async () => {
    const { stdout } = await help([], { PATH: "/nowhere" });
    expect(stdout).toContain("kubectl");
  });
});

describe("text for a shell", () => {
  test("comes back as it was, whatever it holds", async () => {
    const words = fc
      .sample(fc.string({ unit: "grapheme", maxLength: 30 }), 200)
      .map((text) => text.replaceAll("\0", ""));
    const script = join(folder, "words.sh");
    const lines = words.map((word) => `printf '%s\\0' ${quoteShellWord(word) || "''"}`);
    await writeFile(script, lines.join("\n"));
    const { stdout } = await run("/bin/sh", [script], { encoding: "buffer" });
    expect(stdout.toString("utf8").split("\0").slice(0, -1)).toEqual(words);
  });

  test("has no control characters left in it", () => {
    expect(cleanLine("red \u001b[31mtext\r\n\u202eback\u0007 ")).toBe("red  [31mtext back");
  });
});

test("the banner names the tools within 80 columns", () => {
  const many = Array.from({ length: 30 }, () => TOOLS).flat();
  const lines = formatBannerLines("tooling-k8s", many);
  expect(lines[0]).toMatch(/^tooling-k8s: helm 3\.19\.4, kubectl 1\.34\.2, /);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

const TOOLS: readonly ImageTool[] = [
  {
    name: "helm",
    version: "3.19.4",
    summary: "Package manager for Kubernetes",
    homepage: "https://helm.sh",
    license: "Apache-2.0",
    binaries: ["helm"],
    examples: [
      { command: "helm lint .", description: "Check the chart in this folder" },
      { command: "helm version", description: "Tell the version" },
    ],
  },
  {
    name: "kubectl",
    version: "1.34.2",
    summary: 'It\'s $(not) a "trap"\n`here`',
    homepage: "https://kubernetes.io",
    license: "Apache-2.0",
    binaries: ["kubectl", "kubectl-convert"],
    examples: [],
  },
];

async function help(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  tools = TOOLS,
): Promise<{ stdout: string }> {
  const script = join(folder, "toolbox-help");
  await writeFile(script, formatHelpScript("tooling-k8s", tools));
  return await run("/bin/sh", [script, ...args], { env });
}
