// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { type DiagnosedMachine, diagnoseMachine } from "./diagnose-machine.ts";
import type { Finding } from "./finding.ts";

test("a machine with docker is healthy", async () => {
  const findings = await diagnose({ installed: ["docker"] });
  expect(findings.filter(({ state }) => state !== "fine")).toEqual([]);
  expect(about(findings, "engine").message).toContain("docker");
  expect(about(findings, "engine docker").message).toBe("version 27.0.1");
});

test("a machine without any engine is broken, and the cure names some", async () => {
  const finding = about(await diagnose({}), "engine");
  expect(finding.state).toBe("broken");
  expect(finding.cure).toMatch(/docker, podman or bubblewrap/);
});

test("an engine that TOOLBOX_ENGINE names must be ready", async () => {
  const findings = await diagnose({ installed: ["docker"], env: { TOOLBOX_ENGINE: "podman" } });
  expect(about(findings, "engine podman")).toMatchObject({ state: "broken", cure: expect.any(String) });
});

test.each([
  ["", "warning"],
  ["ada:100000:1000\n", "warning"],
  ["bob:100000:65536\n", "warning"],
  ["ada:100000:65536\n", "fine"],
  ["1000:100000:65536\n", "fine"],
])("sub-uids %j are %s for rootless podman", async (text, state) => {
  const files = { "/etc/subuid": text, "/etc/subgid": "ada:100000:65536\n" };
  const finding = about(
    await diagnose({ installed: ["newgidmap", "newuidmap", "podman"], files }),
    "rootless",
  );
  expect(finding.state).toBe(state);
  if (state === "warning") expect(finding.cure).toContain("usermod --add-subuids");
});

test("sub-uids are of no use to rootless podman without the programs that map them", async () => {
  const files = { "/etc/subuid": "ada:100000:65536\n", "/etc/subgid": "ada:100000:65536\n" };
  const finding = about(await diagnose({ installed: ["newuidmap", "podman"], files }), "rootless");
  expect(finding).toMatchObject({ state: "warning", cure: expect.stringContaining("uidmap") });
});

test("emulation of the other CPU is told of", async () => {
  const files = { "/proc/sys/fs/binfmt_misc/qemu-aarch64": "enabled\ninterpreter /usr/bin/qemu" };
  expect(about(await diagnose({ files }), "binfmt").message).toContain("run under qemu");
  expect(about(await diagnose({}), "binfmt").message).toContain("do not run here");
});

test("another program of the same name is told of, our own is not", async () => {
  const foreign = await diagnose({ installed: ["toolbox"], files: { "/bin/toolbox": "\u007FELF" } });
  expect(about(foreign, "name")).toMatchObject({ state: "warning", cure: expect.stringContaining("tbx") });
  const own = await diagnose({ installed: ["toolbox"], files: { "/bin/toolbox": "#!/usr/bin/env node" } });
  expect(about(own, "name").state).toBe("fine");
});

test.each([
  [50_000_000, "broken"],
  [500_000_000, "warning"],
  [50_000_000_000, "fine"],
])("%d free bytes are %s", async (free, state) => {
  expect(about(await diagnose({ free }), "disk").state).toBe(state);
});

interface Scene {
  readonly installed?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly free?: number;
}

async function diagnose({ installed = [], env = {}, files = {}, free = 1e12 }: Scene): Promise<Finding[]> {
  const machine: DiagnosedMachine = {
    engines: {
      os: "linux",
      uid: 1000,
      gid: 1000,
      env: { PATH: "/bin", ...env },
      dataDir: "/data",
      stateDir: "/state",
      programs: {
        find: async (name) => (installed.includes(name) ? `/bin/${name}` : undefined),
        capture: async () => ({
          exitCode: 0,
          stdout: '{"Client":{"Version":"27.0.1"},"Server":{"Version":"27.0.1"}}',
          stderr: "",
          timedOut: false,
        }),
        start: async () => Promise.reject(new Error("nothing is started here")),
      },
      signals: { listen: () => () => {} },
      hasTerminal: false,
    },
    userName: "ada",
    cpu: "x64",
    folders: ["/data"],
    readText: async (path) => files[path],
    freeBytes: async () => free,
  };
  return await diagnoseMachine(machine);
}

function about(findings: readonly Finding[], check: string): Finding {
  const found = findings.find((finding) => finding.check === check);
  if (found === undefined) throw new Error(`nothing about ${check}`);
  return found;
}
