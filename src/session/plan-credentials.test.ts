// SPDX-License-Identifier: Apache-2.0
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import type { CredentialGrant } from "./credential-grant.ts";
import type { CredentialHost } from "./credential-host.ts";
import { planCredentials } from "./plan-credentials.ts";
import { planSession } from "./plan-session.ts";

describe("planCredentials", () => {
  test("gives nothing for no name", async () => {
    expect(await planCredentials([], hostWith({}))).toEqual([]);
  });

  test("suggests the name that was meant", async () => {
    await expect(planCredentials(["kubecofnig"], hostWith({}))).rejects.toMatchObject({
      code: "CREDENTIALS_INVALID",
      hint: 'Did you mean "kubeconfig"?',
    });
  });

  test.each(["aws", "azure", "docker", "gcp", "git", "gpg", "netrc", "openstack", "ssh-agent", "kubeconfig"])(
    "%s warns when there is nothing, and adds nothing",
    async (name) => {
      const [grant] = await planCredentials([name], hostWith({}));
      expect(grant).toMatchObject({ name, mounts: [], copies: [], secretEnv: {} });
      expect(grant?.warnings).toHaveLength(1);
    },
  );

  test("aws: settings read-only, caches as copies, short-lived variables as secrets", async () => {
    const files = { "/home/ada/.aws/config": "", "/srv/keys": "", "/home/ada/.aws/sso/cache/a.json": "" };
    const env = {
      AWS_SESSION_TOKEN: "t",
      AWS_SHARED_CREDENTIALS_FILE: "/srv/keys",
      AWS_VAULT: "other",
      PATH: "/bin",
    };
    expect(await planCredentials(["aws"], hostWith(files, env))).toMatchObject([
      {
        mounts: [
          { source: "/home/ada/.aws/config", target: "/home/toolbox/.aws/config", readOnly: true },
          { source: "/srv/keys", target: "/home/toolbox/.aws/credentials", readOnly: true },
        ],
        copies: [
          { source: "/home/ada/.aws/sso/cache/a.json", target: "/home/toolbox/.aws/sso/cache/a.json" },
        ],
        env: { AWS_SHARED_CREDENTIALS_FILE: "/home/toolbox/.aws/credentials" },
        secretEnv: { AWS_SESSION_TOKEN: "t" },
      },
    ]);
  });

  test("openstack: every OS_ variable", async () => {
    const [grant] = await planCredentials(
      ["openstack"],
      hostWith({}, { OS_CLOUD: "a", OS_PASSWORD: "b", COS_X: "c" }),
    );
    expect(grant?.secretEnv).toEqual({ OS_CLOUD: "a", OS_PASSWORD: "b" });
  });

  test("ssh-agent: the socket of the agent, and who is known", async () => {
    const files = {
      "/run/agent": "socket",
      "/home/ada/.ssh/known_hosts": "",
      "/home/ada/.ssh/id_ed25519": "",
    };
    const [grant] = await planCredentials(["ssh-agent"], hostWith(files, { SSH_AUTH_SOCK: "/run/agent" }));
    expect(grant?.env).toEqual({ SSH_AUTH_SOCK: "/home/toolbox/.ssh/agent.sock" });
    expect(grant?.mounts.map(({ source }) => source)).toEqual(["/run/agent", "/home/ada/.ssh/known_hosts"]);
  });

  test("docker: says that a helper of the host is not in the image", async () => {
    const files = { "/home/ada/.docker/config.json": '{"credsStore":"desktop"}' };
    const [grant] = await planCredentials(["docker"], hostWith(files));
    expect(grant?.warnings).toEqual([expect.stringContaining("credential helper")]);
  });

  test("secrets of a grant end as secrets of the session", async () => {
    const grants = await planCredentials(["openstack"], hostWith({}, { OS_TOKEN: "s3cret" }));
    const session = planSession({
      image: { digest: `sha256:${"a".repeat(64)}`, platform: "linux/amd64" },
      argv: ["openstack"],
      grants,
      host: {
        cwd: "/srv/x",
        home: "/home/ada",
        uid: 1,
        gid: 1,
        env: {},
        umask: 0o022,
        stateDir: "/state",
        terminal: { stdin: false, stdout: false },
      },
    });
    expect(session).toMatchObject({ env: { OS_TOKEN: "s3cret" }, secrets: ["OS_TOKEN"] });
  });
});

describe("kubeconfig", () => {
  test("is merged as kubectl does: the first file that names an entry wins", async () => {
    const files = {
      "/a": configOf("one", "https://one:6443"),
      "/b": configOf("one", "https://other:6443").replace("current-context: one", "current-context: other"),
      "/c": configOf("two", "https://two:6443"),
    };
    const config = readCopy(await grantOf(files, { KUBECONFIG: "/a:/gone::/b:/c" }));
    expect(config.clusters.map(({ cluster }) => cluster["server"])).toEqual([
      "https://one:6443",
      "https://two:6443",
    ]);
    expect(config["current-context"]).toBe("one");
  });

  test("can be reduced to one context, in one namespace", async () => {
    const files = { "/a": configOf("one", "https://one"), "/b": configOf("two", "https://two") };
    const config = readCopy(
      await grantOf(files, { KUBECONFIG: "/a:/b" }, { context: "two", namespace: "shop" }),
    );
    expect(config.clusters.map(({ name }) => name)).toEqual(["two"]);
    expect(config.users.map(({ name }) => name)).toEqual(["two"]);
    expect(config.contexts).toMatchObject([{ name: "two", context: { namespace: "shop" } }]);
  });

  test("without the context that was asked for is an error that names those it has", async () => {
    const files = { "/home/ada/.kube/config": configOf("one", "https://one") };
    await expect(grantOf(files, {}, { context: "gone" })).rejects.toMatchObject({
      code: "CREDENTIALS_INVALID",
      hint: "Choose one of: one.",
    });
  });

  test.each(["https://127.0.0.1:6443", "https://localhost:6443", "https://[::1]:6443", "https://127.9.9.9"])(
    "whose server is %s needs the host's network",
    async (server) => {
      expect((await grantOf({ "/home/ada/.kube/config": configOf("kind", server) })).network).toBe("host");
    },
  );

  test("whose server is elsewhere needs nothing", async () => {
    expect(
      (await grantOf({ "/home/ada/.kube/config": configOf("eks", "https://10.0.0.1") })).network,
    ).toBeUndefined();
  });

  test("names the program that the current context signs in with, and never runs it", async () => {
    const text = configOf("eks", "https://x").replace(
      "user: {}",
      "user: { exec: { command: /opt/bin/aws-iam } }",
    );
    const grant = await grantOf({ "/home/ada/.kube/config": text });
    expect(grant.needs).toEqual(["aws-iam"]);
    expect(readCopy(grant).users[0]?.user).toEqual({ exec: { command: "aws-iam" } });
  });

  test.each([
    ["config: one", []],
    ["current-context: two", ["kubelogin"]],
    ["current-context: gone", []],
    ["- no kubeconfig", []],
  ])("names what the context needs that %j in the private copy chose", async (copy, needs) => {
    const files = {
      "/home/ada/.kube/config": configOf("one", "https://one"),
      "/two": configOf("two", "https://two").replace("user: {}", "user: { exec: { command: kubelogin } }"),
      "/state/homes/shop/.kube/config": copy,
    };
    const env = { KUBECONFIG: "/home/ada/.kube/config:/two" };
    expect((await grantOf(files, env, { privateHome: "/state/homes/shop" })).needs).toEqual(needs);
    expect((await grantOf(files, env)).needs).toEqual([]);
  });

  test("that is of one session only starts in the context that the private copy chose", async () => {
    const files = {
      "/a": configOf("one", "https://one"),
      "/b": configOf("two", "https://two"),
      "/state/homes/shop/.kube/config": "current-context: two",
    };
    const more = { privateHome: "/state/homes/shop", apart: "/state/apart", namespace: "front" };
    const [copy] = (await grantOf(files, { KUBECONFIG: "/a:/b" }, more)).copies;
    const content = copy !== undefined && "content" in copy ? copy.content : "";
    expect(parse(content)).toMatchObject({
      "current-context": "two",
      contexts: [{ name: "one" }, { name: "two", context: { namespace: "front" } }],
    });
  });

  test("takes the files along that it names, wherever they are", async () => {
    const text = configOf("one", "https://one").replace(
      'server: "https://one"',
      'server: "https://one", certificate-authority: ../pki/ca.crt',
    );
    const grant = await grantOf({ "/home/ada/.kube/config": text, "/home/ada/pki/ca.crt": "PEM" });
    const [mount] = grant.mounts;
    expect(mount).toMatchObject({ source: "/home/ada/pki/ca.crt", readOnly: true });
    expect(readCopy(grant).clusters[0]?.cluster["certificate-authority"]).toBe(mount?.target);
  });

  test("leaves the path of a file that is not there as it is on the host, for the tool's own error", async () => {
    const text = configOf("one", "https://one").replace("user: {}", "user: { client-key: pki/ada.key }");
    const grant = await grantOf({ "/home/ada/.kube/config": text });
    expect(grant.mounts).toEqual([]);
    expect(readCopy(grant).users[0]?.user).toEqual({ "client-key": "/home/ada/.kube/pki/ada.key" });
  });

  test.each([["- a list"], ["just text"], ["a: [b"], ["a: 1\na: 2"]])(
    "that is %j is an error without its text",
    async (text) => {
      const grant = grantOf({ "/home/ada/.kube/config": `${text}\n# key: s3cret` });
      await expect(grant).rejects.toMatchObject({ code: "CREDENTIALS_INVALID", cause: undefined });
      await expect(grant).rejects.not.toMatchObject({ message: expect.stringContaining("s3cret") });
    },
  );

  test("that is empty is a kubeconfig all the same", async () => {
    expect(readCopy(await grantOf({ "/home/ada/.kube/config": "" })).clusters).toEqual([]);
  });
});

interface WrittenConfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Record<string, unknown> }[];
  readonly users: readonly { readonly name: string; readonly user: object }[];
  readonly contexts: readonly object[];
  readonly "current-context": string;
}

function readCopy({ copies: [copy] }: CredentialGrant): WrittenConfig {
  if (copy === undefined || !("content" in copy)) throw new TypeError("no copy was made");
  expect(copy.target).toBe("/home/toolbox/.kube/config");
  return parse(copy.content) as WrittenConfig;
}

async function grantOf(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
  more: Partial<CredentialHost> = {},
): Promise<CredentialGrant> {
  const [grant] = await planCredentials(["kubeconfig"], { ...hostWith(files, env), ...more });
  if (grant === undefined) throw new TypeError("no grant was made");
  return grant;
}

function configOf(name: string, server: string): string {
  return [
    `current-context: ${name}`,
    `clusters: [{ name: ${name}, cluster: { server: "${server}" } }]`,
    `users: [{ name: ${name}, user: {} }]`,
    `contexts: [{ name: ${name}, context: { cluster: ${name}, user: ${name} } }]`,
  ].join("\n");
}

/** Files by path; the text "socket" makes one. */
function hostWith(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): CredentialHost {
  return {
    home: "/home/ada",
    env,
    files: {
      kindOf: async (path) =>
        files[path] === undefined ? undefined : files[path] === "socket" ? "socket" : "file",
      readText: async (path) => files[path],
      list: async (path) => {
        const folder = path.endsWith("/") ? path : `${path}/`;
        return Object.keys(files).flatMap((file) =>
          file.startsWith(folder) ? [file.slice(folder.length)] : [],
        );
      },
    },
  };
}
