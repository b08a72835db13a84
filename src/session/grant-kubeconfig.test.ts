// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { CredentialHost } from "./credential-host.ts";
import { grantKubeconfig } from "./grant-kubeconfig.ts";

describe("a context that is chosen for one session", () => {
  test("stands in a folder of its own, so that commands beside it keep theirs", async () => {
    const { copies, mounts, env } = await grantKubeconfig({
      ...HOST,
      context: "prod",
      namespace: "shop",
      apart: "/state/contexts/1",
    });
    const target = "/home/toolbox/.kube/apart/config";
    expect(env).toEqual({ KUBECONFIG: target });
    expect(mounts).toContainEqual({
      source: "/state/contexts/1",
      target: "/home/toolbox/.kube/apart",
      readOnly: false,
      create: "folder",
    });
    const [copy] = copies;
    expect(copy).toMatchObject({ target });
    expect(copy).not.toHaveProperty("keeps");
    const content = copy !== undefined && "content" in copy ? copy.content : "";
    expect(content).toContain("current-context: prod");
    expect(content).toContain("namespace: shop");
    expect(content).not.toContain("dev");
  });

  test("is an error that names the others when there is none of that name", async () => {
    await expect(grantKubeconfig({ ...HOST, context: "test", apart: "/x" })).rejects.toMatchObject({
      code: "CREDENTIALS_INVALID",
      hint: expect.stringContaining("dev, prod"),
    });
  });
});

const TEXT = `
apiVersion: v1
kind: Config
current-context: dev
clusters: [{ name: dev, cluster: { server: "https://dev.example.com" } }, { name: main, cluster: { server: "https://prod.example.com" } }]
users: [{ name: me, user: { token: abc } }]
contexts: [{ name: dev, context: { cluster: dev, user: me } }, { name: prod, context: { cluster: main, user: me } }]
`;

const HOST: CredentialHost = {
  home: "/home/ada",
  env: {},
  files: {
    kindOf: async () => undefined,
    readText: async (path) => (path === "/home/ada/.kube/config" ? TEXT : undefined),
    list: async () => [],
  },
};
