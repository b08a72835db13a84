// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MountWish } from "./mount.ts";
import { planSession, type SessionHost, type SessionRequest } from "./plan-session.ts";
import type { Session } from "./session.ts";

describe("planSession", () => {
  test("is complete: the whole session of a plain command, golden", () => {
    expect(plan({ argv: ["helm", "lint", "."] })).toEqual({
      image: IMAGE,
      argv: ["helm", "lint", "."],
      workdir: "/work/charts/web",
      mounts: [
        { source: "/usr/share/zoneinfo/Europe/Vienna", target: "/etc/localtime", readOnly: true },
        {
          source: "/home/ada/.local/state/toolbox/homes/shop-2c146bae3c96",
          target: "/home/toolbox",
          readOnly: false,
          create: "folder",
        },
        { source: "/home/ada/src/shop", target: "/work", readOnly: false },
      ],
      files: [
        { target: "/etc/group", content: expect.stringMatching(/^root:x:0:\n[^]*\nada:x:1234:\n$/) },
        {
          target: "/etc/passwd",
          content: expect.stringMatching(/\nada:x:1234:1234:ada:\/home\/toolbox:\/bin\/bash\n$/),
        },
      ],
      copies: [],
      env: {
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "safe.directory",
        GIT_CONFIG_VALUE_0: "/work",
        HOME: "/home/toolbox",
        LANG: "C.UTF-8",
        LOGNAME: "ada",
        TOOLBOX_IMAGE: "docker.io/best-tools/tooling-k8s:1.4",
        TZ: ":/etc/localtime",
        USER: "ada",
        XDG_CACHE_HOME: "/home/toolbox/.cache",
        XDG_CONFIG_HOME: "/home/toolbox/.config",
        XDG_DATA_HOME: "/home/toolbox/.local/share",
        XDG_STATE_HOME: "/home/toolbox/.local/state",
      },
      secrets: [],
      user: { uid: 1234, gid: 1234, name: "ada", group: "ada", home: "/home/toolbox" },
      tty: false,
      network: "host",
      hostname: "toolbox",
      umask: 0o022,
      limits: {},
      ports: [],
    } satisfies Session);
  });

  test("keeps any argument as it is", () => {
    const argument = fc.string({ unit: "binary" }).filter((text) => !/[\0\uFFFD]/.test(text));
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1 }), (argv) => {
        expect(plan({ argv }).argv).toEqual(argv);
      }),
    );
  });

  test.each([
    ["not UTF-8 on the way in", "caf\uFFFD"],
    ["with a NUL", "a\0b"],
  ])("refuses an argument %s", (_, argument) => {
    expect(() => plan({ argv: ["echo", argument] })).toThrow(
      expect.objectContaining({ code: "SESSION_INVALID" }),
    );
  });

  test("without a command starts a shell", () => {
    expect(plan({ argv: [] }).argv).toEqual(["bash"]);
  });

  test.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
    [false, false, false],
  ])("with terminals on stdin %s and stdout %s: tty is %s", (stdin, stdout, tty) => {
    expect(plan({}, { terminal: { stdin, stdout } }).tty).toBe(tty);
  });

  test("passes TERM only to a terminal", () => {
    const env = { TERM: "screen" };
    expect(plan({}, { env }).env).not.toHaveProperty("TERM");
    expect(plan({}, { env, terminal: { stdin: true, stdout: true } }).env).toMatchObject({ TERM: "screen" });
  });
});

describe("the folder that is shown", () => {
  test("is the working directory alone when that lies outside the workspace", () => {
    const session = plan({}, { cwd: "/srv/other" });
    expect(session.workdir).toBe("/work");
    expect(session.mounts.at(-1)).toEqual({ source: "/srv/other", target: "/work", readOnly: false });
  });

  test("is not confused by a sibling with a longer name", () => {
    expect(plan({}, { cwd: "/home/ada/src/shop-old" }).mounts.at(-1)?.source).toBe("/home/ada/src/shop-old");
  });

  test.each(["/", "/home", "/home/ada"])("is never %s", (cwd) => {
    expect(() => plan({ workspace: undefined }, { cwd })).toThrow(
      expect.objectContaining({ code: "MOUNT_REFUSED" }),
    );
    expect(() => plan({ workspace: cwd }, { cwd: "/home/ada/src" })).toThrow(
      expect.objectContaining({ code: "MOUNT_REFUSED" }),
    );
  });

  test("may be anything but / where the home is /", () => {
    expect(plan({ workspace: undefined }, { home: "/", cwd: "/build" }).mounts.at(-1)?.source).toBe("/build");
  });

  test("has a home of its own, and no two workspaces of one name share it", () => {
    expect(homeOf("/a/shop")).not.toBe(homeOf("/b/shop"));
    expect(homeOf("/a/sh op, ü:")).toMatch(/\/homes\/sh-op--[0-9a-f]{12}$/);
  });
});

describe("mounts that the session names", () => {
  test.each([
    [
      "~/.terraformrc:/home/toolbox/.terraformrc",
      "/home/ada/.terraformrc",
      "/home/toolbox/.terraformrc",
      true,
    ],
    ["../lib:/lib-src:rw", "/home/ada/src/lib", "/lib-src", false],
    ["/srv/a:b:/data", "/srv/a:b", "/data", true],
    ["/srv/data:/data/:ro", "/srv/data", "/data", true],
  ])("%s", (text, source, target, readOnly) => {
    expect(mountsOf(text)).toContainEqual({ source, target, readOnly });
  });

  test("stand after the mounts that they lie in", () => {
    const targets = mountsOf("/srv/x:/work/x", "/srv/y:/home/toolbox/y").map(({ target }) => target);
    expect(targets).toEqual(["/etc/localtime", "/home/toolbox", "/home/toolbox/y", "/work", "/work/x"]);
  });

  test.each(["~:/h", "/:/host", "/home:/h", "/srv:/", "/srv:/proc", "/srv:/dev/x", "/srv:/data/../sys"])(
    "%s is refused",
    (text) => {
      expect(() => mountsOf(text)).toThrow(expect.objectContaining({ code: "MOUNT_REFUSED" }));
    },
  );

  test.each(["/srv", "/srv:data", ":/data", ""])("%j is not one", (text) => {
    expect(() => mountsOf(text)).toThrow(expect.objectContaining({ code: "SESSION_INVALID" }));
  });
});

describe("certificates of the host", () => {
  const certificates = {
    file: { target: "/etc/toolbox/ca-bundle.crt", content: "pem" },
    env: { SSL_CERT_FILE: "/etc/toolbox/ca-bundle.crt" },
    warnings: [],
  };

  test("are a file inside and a variable that names it", () => {
    const session = plan({ certificates });
    expect(session.files).toContainEqual(certificates.file);
    expect(session.env["SSL_CERT_FILE"]).toBe(certificates.file.target);
    expect(session.secrets).not.toContain("SSL_CERT_FILE");
  });

  test("give way to what the session sets itself", () => {
    const session = plan({ certificates, settings: { env: ["SSL_CERT_FILE=/work/own.pem"] } });
    expect(session.env["SSL_CERT_FILE"]).toBe("/work/own.pem");
  });
});

describe("the environment", () => {
  test("holds nothing of the host that is on no list", () => {
    const session = environmentOf({
      AWS_SECRET_ACCESS_KEY: "sentinel",
      PATH: "/sentinel",
      LD_PRELOAD: "sentinel",
    });
    expect(JSON.stringify(session)).not.toContain("sentinel");
  });

  test("sets what the session sets, and passes on what it names, as a secret", () => {
    const session = environmentOf({ TOKEN: "s3cret", GONE: undefined }, [
      "TOKEN",
      "GONE",
      "MODE=a=b",
      "EMPTY=",
    ]);
    expect(session.env).toMatchObject({ TOKEN: "s3cret", MODE: "a=b", EMPTY: "" });
    expect(session.env).not.toHaveProperty("GONE");
    expect(session.secrets).toEqual(["TOKEN"]);
  });

  test("carries a proxy in both spellings, as a secret", () => {
    const session = environmentOf({ https_proxy: "http://me:pw@proxy:3128" });
    expect(session.env).toMatchObject({
      HTTPS_PROXY: "http://me:pw@proxy:3128",
      https_proxy: "http://me:pw@proxy:3128",
    });
    expect(session.secrets).toEqual(["HTTPS_PROXY", "https_proxy"]);
  });

  test("prefers the host's own TZ to its zone file", () => {
    const session = environmentOf({ TZ: "Asia/Tokyo" });
    expect(session.env["TZ"]).toBe("Asia/Tokyo");
    expect(session.mounts.map(({ target }) => target)).not.toContain("/etc/localtime");
  });

  test.each(["1A", "A B=1", "=x", "A-B"])("refuses the name in %j", (wish) => {
    expect(() => environmentOf({}, [wish])).toThrow(expect.objectContaining({ code: "SESSION_INVALID" }));
  });
});

describe("the caller", () => {
  test("takes the place of a system account with the same number", () => {
    const passwd = passwdOf({ uid: 33, gid: 33, userName: "web" });
    expect(passwd).not.toContain("www-data");
    expect(passwd).toContain("\nweb:x:33:33:");
  });

  test.each([["evil:x:0:0:"], ["a\nroot2:x:0:0::/:"], [""], [undefined]])(
    "named %j is called user",
    (userName) => {
      expect(passwdOf({ userName })).toMatch(/\nuser:x:1234:1234:user:/);
    },
  );

  test("who is root is root, once", () => {
    const passwd = passwdOf({ uid: 0, gid: 0, userName: "root" });
    expect(passwd.match(/^root:.*$/gm)).toEqual(["root:x:0:0:root:/home/toolbox:/bin/bash"]);
  });

  test("can be root inside on demand", () => {
    expect(plan({ asRoot: true }).user).toMatchObject({ uid: 0, gid: 0, name: "root" });
  });
});

const IMAGE = {
  reference: "docker.io/best-tools/tooling-k8s:1.4",
  digest: `sha256:${"a".repeat(64)}`,
  platform: "linux/amd64",
} as const;

function plan(request: Partial<SessionRequest>, host: Partial<SessionHost> = {}): Session {
  return planSession({
    image: IMAGE,
    argv: ["true"],
    workspace: "/home/ada/src/shop",
    ...request,
    host: {
      cwd: "/home/ada/src/shop/charts/web",
      home: "/home/ada",
      uid: 1234,
      gid: 1234,
      userName: "ada",
      groupName: "ada",
      env: {},
      umask: 0o022,
      localtime: "/usr/share/zoneinfo/Europe/Vienna",
      stateDir: "/home/ada/.local/state/toolbox",
      terminal: { stdin: false, stdout: false },
      ...host,
    },
  });
}

function homeOf(workspace: string): string | undefined {
  const { mounts } = plan({ workspace }, { cwd: workspace });
  return mounts.find(({ target }) => target === "/home/toolbox")?.source;
}

function mountsOf(...mounts: MountWish[]): Session["mounts"] {
  return plan({ settings: { mounts } }).mounts;
}

function environmentOf(env: SessionHost["env"], wishes: string[] = []): Session {
  return plan({ settings: { env: wishes } }, { env });
}

function passwdOf(host: Partial<SessionHost>): string {
  return plan({}, host).files.find(({ target }) => target === "/etc/passwd")?.content ?? "";
}
