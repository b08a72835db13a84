// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import type { CredentialGrant } from "./credential-grant.ts";
import type { VirtualMachine } from "./credential-host.ts";
import { planCredentials } from "./plan-credentials.ts";
import { planSession } from "./plan-session.ts";
import type { Session } from "./session.ts";

/** As Docker Desktop has it. */
const SSH_AGENT = "/run/host-services/ssh-auth.sock";
/** A Mac's own socket, which containers never see. */
const OWN = "/private/tmp/com.apple.launchd.x/Listeners";

test("ssh-agent of a Mac with Docker Desktop, golden", async () => {
  const [grant] = await grantsOn({ sshAgent: SSH_AGENT });
  expect(grant).toEqual({
    name: "ssh-agent",
    mounts: [
      { source: SSH_AGENT, target: "/home/toolbox/.ssh/agent.sock", readOnly: true, remote: true },
      { source: "/Users/ada/.ssh/config", target: "/home/toolbox/.ssh/config", readOnly: true },
    ],
    copies: [],
    env: { SSH_AUTH_SOCK: "/home/toolbox/.ssh/agent.sock" },
    secretEnv: {},
    groups: [0],
    needs: [],
    warnings: [],
  } satisfies CredentialGrant);
});

test("the agent of a Mac is offered to root's group, which the caller joins", async () => {
  const grants = await grantsOn({ sshAgent: SSH_AGENT });
  const ada = { uid: 501, gid: 20, name: "ada", group: "ada", home: "/home/toolbox" };
  expect(sessionOf(grants).user).toEqual({ ...ada, groups: [0] });
  expect(sessionOf([]).user).toEqual(ada);
  expect(sessionOf(grants, true).user).toMatchObject({ uid: 0 });
  expect(sessionOf(grants, true).user).not.toHaveProperty("groups");
});

test("a virtual machine that offers no agent gets no socket of this machine, and a warning says so", async () => {
  const [grant] = await grantsOn({});
  expect(grant?.mounts.map(({ source }) => source)).toEqual(["/Users/ada/.ssh/config"]);
  expect(grant?.env).toEqual({});
  expect(grant).not.toHaveProperty("groups");
  expect(grant?.warnings).toEqual([expect.stringMatching(/Listeners" is out of reach: .*virtual machine/)]);
});

test("without a virtual machine the socket is the caller's own", async () => {
  const [grant] = await grantsOn(undefined);
  expect(grant?.mounts[0]).toEqual({ source: OWN, target: "/home/toolbox/.ssh/agent.sock", readOnly: true });
});

async function grantsOn(virtualMachine: VirtualMachine | undefined): Promise<CredentialGrant[]> {
  return await planCredentials(["ssh-agent"], {
    home: "/Users/ada",
    env: { SSH_AUTH_SOCK: OWN },
    virtualMachine,
    files: {
      kindOf: async (path) =>
        path === OWN ? "socket" : path === "/Users/ada/.ssh/config" ? "file" : undefined,
      readText: async () => undefined,
      list: async () => [],
    },
  });
}

function sessionOf(grants: readonly CredentialGrant[], asRoot = false): Session {
  return planSession({
    image: { digest: `sha256:${"a".repeat(64)}`, platform: "linux/arm64" },
    argv: ["ssh"],
    grants,
    asRoot,
    host: {
      cwd: "/Users/ada/shop",
      home: "/Users/ada",
      uid: 501,
      gid: 20,
      userName: "ada",
      env: {},
      umask: 0o022,
      stateDir: "/state",
      terminal: { stdin: false, stdout: false },
    },
  });
}
