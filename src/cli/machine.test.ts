// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAptAddresses } from "./machine-clients.ts";
import { proxySettings, readTrustedCertificates } from "./machine-network.ts";
import { machinePaths } from "./machine-paths.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "toolbox-machine-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("paths", () => {
  test("are below the home folder when nothing is set", () => {
    expect(machinePaths({}, "/home/ada")).toEqual({
      store: "/home/ada/.local/share/toolbox/store",
      cache: "/home/ada/.cache/toolbox",
      state: "/home/ada/.local/state/toolbox",
      config: "/home/ada/.config/toolbox",
    });
  });

  test("follow XDG unless it is relative, and our own variables before it", () => {
    const env = {
      XDG_DATA_HOME: "/data",
      XDG_CACHE_HOME: "relative",
      TOOLBOX_STORE: "/s",
      XDG_STATE_HOME: "/state",
    };
    expect(machinePaths(env, "/h")).toMatchObject({
      store: "/s",
      cache: "/h/.cache/toolbox",
      state: "/state/toolbox",
    });
    expect(machinePaths({ XDG_DATA_HOME: "/data" }, "/h").store).toBe("/data/toolbox/store");
  });
});

describe("network", () => {
  test("proxies are read in both spellings, lower case first", () => {
    expect(proxySettings({ HTTPS_PROXY: "http://a", https_proxy: "http://b", NO_PROXY: "x" })).toEqual({
      httpProxy: undefined,
      httpsProxy: "http://b",
      noProxy: "x",
    });
  });

  test("HTTP_PROXY is not believed where a web server sets it from a header", () => {
    expect(proxySettings({ HTTP_PROXY: "http://evil", REQUEST_METHOD: "GET" }).httpProxy).toBeUndefined();
  });

  test("certificates come from both variables, once each", async () => {
    const file = join(folder, "ca.pem");
    await writeFile(file, "PEM");
    expect(await readTrustedCertificates({ SSL_CERT_FILE: file, NODE_EXTRA_CA_CERTS: file })).toEqual([
      "PEM",
    ]);
    await expect(readTrustedCertificates({ SSL_CERT_FILE: join(folder, "no.pem") })).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
    });
  });
});

describe("apt sources", () => {
  test("give the addresses of the archive, whatever their form", async () => {
    await mkdir(join(folder, "apt", "sources.list.d"), { recursive: true });
    await writeFile(join(folder, "apt", "sources.list"), "deb http://mirror.example/debian trixie main\n");
    await writeFile(
      join(folder, "apt", "sources.list.d", "debian.sources"),
      "Types: deb\nURIs: http://other.example/debian\nSuites: trixie\nComponents: main\n",
    );
    await writeFile(
      join(folder, "apt", "sources.list.d", "old.save"),
      "deb http://old.example/debian trixie main\n",
    );
    expect(await readAptAddresses(join(folder, "apt"))).toEqual([
      "http://mirror.example/debian",
      "http://other.example/debian",
    ]);
  });

  test("of a machine without apt are none", async () => {
    expect(await readAptAddresses(join(folder, "nowhere"))).toEqual([]);
  });
});
