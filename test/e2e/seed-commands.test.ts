// SPDX-License-Identifier: Apache-2.0
import { cpSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder, outputOf, type TemporaryFolder } from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { QUICKSTART } from "../support/programs-toolbox.ts";
import { type PublishedImage, publishQuickstart, TAG } from "../support/published-image.ts";
import { runOnTerminal, type RunOnTerminalOptions, type TerminalResult } from "../support/terminal.ts";

/** What a team writes on its wiki: these commands must work as they stand there, only the image's name differs. */
describe.runIf(canStartDocker())("on a terminal, with docker alone,", () => {
  let image: PublishedImage;
  let docker: RunningDocker;
  let home: TemporaryFolder;
  let reference: string;
  const chart = (): string => join(home.path, "chart");
  const type = async (line: string, steps: RunOnTerminalOptions["steps"] = []): Promise<TerminalResult> =>
    runOnTerminal("bash", ["-c", line.replace("IMAGE", reference)], {
      cwd: chart(),
      env: { ...docker.env, HOME: home.path, PS1: undefined },
      steps,
    });

  beforeAll(async () => {
    home = await makeFolder("home");
    await mkdir(join(home.path, ".kube"));
    await writeFile(join(home.path, ".kube/config"), KUBECONFIG);
    cpSync(join(QUICKSTART, "chart"), chart(), { recursive: true });
    image = await publishQuickstart();
    docker = await startDocker();
    reference = `${image.repository}:${TAG}`;
    await outputOf("docker", ["pull", "--quiet", reference], { env: docker.env });
  });
  afterAll(async () => {
    await docker?.stop();
    await image?.remove();
    await home?.remove();
  });

  test("`docker run -it --rm -v $(pwd):/work -w /work IMAGE helm lint .` lints the chart", async () => {
    const { code, screen } = await type("docker run -it --rm -v $(pwd):/work -w /work IMAGE helm lint .");
    expect(screen).toContain("1 chart(s) linted, 0 chart(s) failed");
    expect(code).toBe(0);
  });

  test("the interactive one greets, knows the cluster of ~/.kube, and takes commands", async () => {
    const { code, screen } = await type(
      "docker run -it --rm -v $(pwd):/work -v ~/.kube:/root/.kube:ro -w /work IMAGE bash",
      [
        { after: /\$ |# /, type: "kubectl config current-context\n" },
        { after: /from-the-laptop[^]*(?:\$ |# )/, type: "pwd; ls Chart.yaml; exit 7\n" },
      ],
    );
    expect(screen).toContain("toolbox-help");
    expect(screen).toContain("kubectl 1.32");
    expect(screen).toContain("from-the-laptop");
    expect(screen).toMatch(/^\/work$/m);
    expect(screen).toMatch(/^Chart\.yaml$/m);
    expect(code).toBe(7);
  });

  test("`toolbox-help` lists every tool with its version and what it is for", async () => {
    const { code, screen } = await type("docker run -it --rm IMAGE toolbox-help");
    expect(code).toBe(0);
    for (const line of [/helm +3\.\d/, /jq +1\.7/, /kubectl +1\.32/, /yq +4\.\d/]) {
      expect(screen).toMatch(line);
    }
  });

  test("no greeting disturbs a script's output", async () => {
    const said = await outputOf("docker", ["run", "--rm", reference, "bash", "-c", "echo only this"], {
      env: docker.env,
    });
    expect(said).toBe("only this\n");
  });
});

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: from-the-laptop
clusters: [{ name: local, cluster: { server: "https://127.0.0.1:6443" } }]
contexts: [{ name: from-the-laptop, context: { cluster: local, user: me } }]
users: [{ name: me, user: {} }]
`;
