// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { goProxies } from "./go-proxy.ts";
import { createMirrors } from "./mirrors.ts";

describe("addresses", () => {
  const clients = { npm: async (): Promise<string[]> => ["https://client.example/npm/"] };

  test("of the workspace come first, without slashes at the end", async () => {
    const mirrors = createMirrors({
      wishes: { npm: ["https://one.example/", "https://two.example"] },
      env: { npm_config_registry: "https://env.example" },
      clients,
    });
    expect(await mirrors.addressesOf("npm")).toEqual(["https://one.example", "https://two.example"]);
  });

  test("of the environment come before the client's", async () => {
    const mirrors = createMirrors({ env: { npm_config_registry: "https://env.example/" }, clients });
    expect(await mirrors.addressesOf("npm")).toEqual(["https://env.example"]);
  });

  test("of the client are asked for once, and only when they are needed", async () => {
    let asked = 0;
    const mirrors = createMirrors({
      env: {},
      clients: {
        debian: async () => {
          asked += 1;
          return ["http://debian.example/debian"];
        },
      },
    });
    expect(asked).toBe(0);
    await mirrors.addressesOf("debian");
    expect(await mirrors.addressesOf("debian")).toEqual(["http://debian.example/debian"]);
    expect(asked).toBe(1);
  });

  test.each(["debian", "npm", "pypi"] as const)(
    "of %s that nobody names are an error with the key to set",
    async (kind) => {
      await expect(createMirrors({ env: {}, clients: {} }).addressesOf(kind)).rejects.toMatchObject({
        code: "MIRROR_NOT_CONFIGURED",
        hint: expect.stringContaining(`mirrors: { ${kind}:`) as string,
      });
    },
  );
});

describe("settings of the go command", () => {
  test("come from workspace, environment and client, each variable by itself", async () => {
    const mirrors = createMirrors({
      wishes: { go: ["https://one.example", "direct"] },
      env: { GOPROXY: "https://env.example", GOPRIVATE: "corp.example" },
      clients: { go: client },
    });
    expect(await mirrors.goSettings()).toEqual({
      GOPROXY: "https://one.example,direct",
      GOPRIVATE: "corp.example",
      GOSUMDB: "db.example",
    });
  });

  test("are learnt elsewhere on a machine without a go command, and what the machine says stays", async () => {
    const mirrors = createMirrors({
      env: { GOSUMDB: "off" },
      clients: {
        go: async () => ({}),
        goDefaults: async () => ({ GOPROXY: "https://default.example,direct", GOSUMDB: "db.example" }),
      },
    });
    expect(await mirrors.goSettings()).toEqual({ GOPROXY: "https://default.example,direct", GOSUMDB: "off" });
  });

  test("are an error where nothing says anything", async () => {
    await expect(createMirrors({ env: {}, clients: {} }).goSettings()).rejects.toMatchObject({
      code: "MIRROR_NOT_CONFIGURED",
    });
  });
});

test("release addresses are replaced by the longest prefix", () => {
  const release = {
    "https://up.example/": "https://a.example/",
    "https://up.example/tools/": "https://b.example/",
  };
  const mirrors = createMirrors({ wishes: { release }, env: {}, clients: {} });
  expect(mirrors.releaseAddress("https://up.example/tools/x")).toBe("https://b.example/x");
  expect(mirrors.releaseAddress("https://up.example/y")).toBe("https://a.example/y");
  expect(mirrors.releaseAddress("https://other.example/z")).toBe("https://other.example/z");
});

test.each([
  ["https://a.example/,direct", [["https://a.example", false]]],
  [
    "https://a.example|https://b.example",
    [
      ["https://a.example", true],
      ["https://b.example", false],
    ],
  ],
  ["https://a.example,off,https://b.example", [["https://a.example", false]]],
  ["direct", []],
  ["off", []],
])("GOPROXY %j is understood", (setting, expected) => {
  expect(goProxies(setting).map(({ address, passOnAnyError }) => [address, passOnAnyError])).toEqual(
    expected,
  );
});

async function client(): Promise<Record<string, string>> {
  return { GOPROXY: "https://client.example", GOSUMDB: "db.example" };
}
