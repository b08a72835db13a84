// SPDX-License-Identifier: Apache-2.0
import { realpathSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  makeFolder,
  outputOf,
  type ProgramResult,
  runProgram,
  type TemporaryFolder,
} from "../support/programs.ts";
import { canStartDocker, type RunningDocker, startDocker } from "../support/programs-docker.ts";
import { type PublishedImage, publishQuickstart } from "../support/published-image.ts";

/** What the steps of these jobs do with the image's tools, and what comes of it. */
const TOOLS = `kubectl create deployment web --image=registry.example/web:1.4 --dry-run=client -o yaml | yq .kind
helm create chart >/dev/null && helm template web chart | grep -c "^kind: Deployment"
echo '{"a": [1, 2]}' | jq -c .a
git init --quiet repository && git -C repository status --short && echo clean
`;
const TOOLS_SAY = "Deployment\n1\n[1,2]\nclean\n";

describe.runIf(canStartDocker())("the image is", () => {
  let image: PublishedImage;
  let docker: RunningDocker;
  let folder: TemporaryFolder;
  let reference = "";

  beforeAll(async () => {
    folder = await makeFolder("jobs");
    await chmod(folder.path, 0o755);
    image = await publishQuickstart();
    docker = await startDocker();
    const platform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
    reference = `${image.repository}@${image.manifestOf(platform)}`;
    await outputOf("docker", ["pull", "--quiet", reference], { env: docker.env });
  });
  afterAll(async () => {
    await docker?.stop();
    await image?.remove();
    await folder?.remove();
  });

  const ask = async (...words: readonly string[]): Promise<ProgramResult> =>
    runProgram("docker", words, { env: docker.env });

  const at = (path: string): string => join(folder.path, "github", path);

  /** Runs `docker` with a text on its stdin. */
  const tell = async (input: string, ...words: readonly string[]): Promise<ProgramResult> => {
    const file = join(folder.path, "input");
    await writeFile(file, input);
    return runProgram("sh", ["-c", 'exec docker "$@" <"$0"', file, ...words], { env: docker.env });
  };

  /** As GitHub's runner does: the container waits, and each step is executed in it. */
  describe("a job container of GitHub Actions", () => {
    let container = "";
    beforeAll(async () => {
      const parts = ["work", "work/_temp", "home", "workflow", "actions/say"];
      for (const part of parts) await mkdir(at(part), { recursive: true });
      await writeFile(at("actions/say/index.js"), ACTION);
      await writeFile(at("work/_temp/step.sh"), `cd "$RUNNER_TEMP"\n${TOOLS}`);
      const node = dirname(realpathSync(process.execPath));
      const words = ["create", "--user", "0", "--network", "none", "--workdir", "/__w/repository"];
      const env = ["HOME=/github/home", "GITHUB_ACTIONS=true", "CI=true", "RUNNER_TEMP=/__w/_temp"];
      const mounts = [
        `${at("work")}:/__w`,
        `${node}:/__e/node20/bin:ro`,
        `${at("actions")}:/__w/_actions`,
        `${at("home")}:/github/home`,
        `${at("workflow")}:/github/workflow`,
      ];
      const flags = [...env.flatMap((name) => ["-e", name]), ...mounts.flatMap((mount) => ["-v", mount])];
      const args = [...words, ...flags, "--entrypoint", "tail", reference, "-f", "/dev/null"];
      container = (await outputOf("docker", args, { env: docker.env })).trim();
      expect(await ask("start", container)).toMatchObject({ code: 0 });
    });
    afterAll(async () => {
      await ask("rm", "--force", container);
    });

    test("whose steps are scripts for bash and for sh", async () => {
      const bash = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "/__w/_temp/step.sh"];
      for (const shell of [bash, ["sh", "-e", "/__w/_temp/step.sh"]]) {
        await ask("exec", container, "rm", "-rf", "/__w/_temp/chart", "/__w/_temp/repository");
        const step = await ask("exec", "--interactive", container, ...shell);
        expect(step).toMatchObject({ code: 0, stdout: TOOLS_SAY });
      }
    });

    test("in which an action starts with the runner's own Node.js, and writes where actions write", async () => {
      const words = ["/__e/node20/bin/node", "/__w/_actions/say/index.js"];
      const env = ["-e", "GITHUB_OUTPUT=/github/workflow/output", "-e", "INPUT_WHO=you"];
      const action = await ask("exec", "--interactive", ...env, container, ...words);
      expect(action).toMatchObject({ code: 0, stderr: "", stdout: "hello you from /github/home as 0\n" });
      expect(await readFile(at("workflow/output"), "utf8")).toBe("kubectl=yes\n");
    });
  });

  /** As GitLab's runner does: it looks for a shell by a script for sh, and tells that shell the job on its stdin. */
  describe("the image of a GitLab job", () => {
    test("with no entrypoint in the way, whose job is read from stdin", async () => {
      const { stdout } = await ask("image", "inspect", "--format", "{{json .Config.Entrypoint}}", reference);
      expect(stdout.trim()).toMatch(/^(?:null|\[\])$/);
      const words = ["run", "--rm", "--interactive", "--network", "none", "--volume", "/builds", reference];
      const job = `set -eo pipefail\nset +o noclobber\nexport CI='true'\n: | (cd /tmp &&\n${TOOLS})\n`;
      expect(await tell(job, ...words, "sh", "-c", DETECT_SHELL)).toMatchObject({
        code: 0,
        stdout: TOOLS_SAY,
      });
    });

    test("whose failure is the job's", async () => {
      const words = [
        "run",
        "--rm",
        "--interactive",
        "--network",
        "none",
        reference,
        "sh",
        "-c",
        DETECT_SHELL,
      ];
      const job = "set -eo pipefail\nfalse | true\necho not reached\n";
      expect(await tell(job, ...words)).toMatchObject({ code: 1, stdout: "" });
    });
  });

  /** As OpenShift does, and as security policies demand: any uid, group 0, nothing writable but what is mounted. */
  describe("fit for a random uid with group 0", () => {
    const flags = ["run", "--rm", "--network", "none", "--user", "123456:0", "--cap-drop", "ALL"];
    const script = `set -e\ncd /tmp\n${TOOLS}`;

    test("and a read-only root file system", async () => {
      const words = [...flags, "--read-only", "--tmpfs", "/tmp", reference, "sh", "-c", script];
      const { code, stdout, stderr } = await ask(...words);
      expect(code, stderr).toBe(0);
      expect(stdout).toBe(TOOLS_SAY);
    });

    test("who has a name, and nothing else to write to", async () => {
      const look =
        'whoami; id -g; touch "$HOME/x" 2>/dev/null || echo read-only; kubectl version --client | head -1';
      const words = [...flags, "--read-only", "--tmpfs", "/tmp", reference, "sh", "-c", look];
      const { stdout } = await ask(...words);
      expect(stdout).toMatch(/^uid-123456\n0\nread-only\nClient Version: v/);
    });

    test("and a HOME that is writable where the root file system is", async () => {
      const words = [...flags, reference, "sh", "-c", 'touch "$HOME/x" && echo "$HOME"'];
      expect(await ask(...words)).toMatchObject({ code: 0, stdout: "/home/toolbox\n" });
    });
  });
});

/** What an action in JavaScript does: it reads its input, writes to HOME and to the output's file, and starts programs. */
const ACTION = `const { execFileSync } = require("node:child_process");
const { appendFileSync, writeFileSync } = require("node:fs");
const { homedir } = require("node:os");
writeFileSync(homedir() + "/.written", "x");
const said = execFileSync("kubectl", ["version", "--client"], { encoding: "utf8" });
appendFileSync(process.env.GITHUB_OUTPUT, "kubectl=" + (said.includes("Client Version") ? "yes" : "no") + "\\n");
console.log("hello " + process.env.INPUT_WHO + " from " + homedir() + " as " + process.getuid());
`;

const SHELLS = [
  "/usr/local/bin/bash",
  "/usr/bin/bash",
  "/bin/bash",
  "/usr/local/bin/sh",
  "/usr/bin/sh",
  "/bin/sh",
];

/** Takes the first shell that is there. */
const DETECT_SHELL = `${SHELLS.map((shell) => `if [ -x ${shell} ]; then exec ${shell}; fi`).join("; ")}; echo shell not found; exit 1`;
