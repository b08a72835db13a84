// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { Session } from "../session/index.ts";
import { type ContainerDialect, clientEnvironment, renderRunArguments } from "./container-command.ts";
import type { EngineHost } from "./engine.ts";

describe("the arguments of run", () => {
  test("for docker, golden", () => {
    expect(render("docker")).toEqual([
      "run",
      "--rm",
      "--pull=never",
      "--log-driver=none",
      "--init",
      "--interactive",
      "--hostname=toolbox",
      "--workdir=/work/charts",
      "--user=1234:1235",
      "--cap-drop=ALL",
      "--security-opt=no-new-privileges",
      "--network=host",
      "--env=HOME=/home/toolbox",
      "--env=TOKEN",
      "--mount",
      "type=bind,source=/etc/zone,target=/etc/localtime,readonly",
      "--mount",
      'type=bind,"source=/home/ada/a, ""b"": c",target=/work',
      "--entrypoint=",
      "sha256:abc",
      "printf",
      "%s",
      "a b",
      "",
      "--",
      "$(id)",
    ]);
  });

  test.each<[Session["network"], readonly string[]]>([
    ["default", ["--publish=127.0.0.1:8080:80"]],
    ["engine:shop_default", ["--network=shop_default", "--publish=127.0.0.1:8080:80"]],
    ["none", ["--network=none"]],
  ])("publish ports on a network of their own only: %s", (network, expected) => {
    const argv = render("docker", { session: { network, ports: ["127.0.0.1:8080:80"] } });
    expect(argv.filter((word) => /^--(?:network|publish)=/.test(word))).toEqual(expected);
  });

  test("joins the groups that a credential needs", () => {
    const user = { uid: 501, gid: 20, name: "ada", group: "ada", home: "/home/toolbox", groups: [0] };
    expect(render("docker", { session: { user } })).toEqual(
      expect.arrayContaining(["--user=501:20", "--group-add=0"]),
    );
  });

  test("for rootless podman, golden", () => {
    const mounts = [
      { source: "/srv/a, b", target: "/a", readOnly: true },
      { source: "/srv/c:d", target: "/c", readOnly: true },
      { source: "/srv/e", target: "/e", readOnly: false },
    ];
    expect(render("podman", { session: { mounts }, rootless: true, init: "/usr/bin/catatonit" })).toEqual([
      "run",
      "--rm",
      "--pull=never",
      "--log-driver=none",
      "--init",
      "--init-path=/usr/bin/catatonit",
      "--interactive",
      "--hostname=toolbox",
      "--workdir=/work/charts",
      "--userns=keep-id",
      "--user=1234:1235",
      "--cap-drop=ALL",
      "--security-opt=no-new-privileges",
      "--network=host",
      "--umask=0022",
      "--env=HOME=/home/toolbox",
      "--env=TOKEN",
      "--volume",
      "/srv/a, b:/a:ro",
      "--mount",
      "type=bind,source=/srv/c:d,target=/c,ro=true",
      "--mount",
      "type=bind,source=/srv/e,target=/e",
      "--entrypoint=",
      "sha256:abc",
      "printf",
      "%s",
      "a b",
      "",
      "--",
      "$(id)",
    ]);
  });

  test("for nerdctl are docker's, but for the log driver that old ones do not know", () => {
    const docker = render("docker").filter((word) => word !== "--log-driver=none");
    expect(render("nerdctl")).toEqual(docker);
  });

  test("ask for a terminal only where there is one", () => {
    expect(render("docker")).not.toContain("--tty");
    expect(render("docker", { session: { tty: true } })).toContain("--tty");
  });

  test("never hold the value of a secret, which the client's environment carries", () => {
    expect(render("docker").join(" ")).not.toContain("s3cret");
    const host = { env: { PATH: "/bin", HOME: "/home/ada" } } as unknown as EngineHost;
    expect(clientEnvironment(host, SESSION)).toEqual({ PATH: "/bin", HOME: "/home/ada", TOKEN: "s3cret" });
  });

  test("say root for a rootless daemon, where that is the caller", () => {
    expect(render("docker", { rootless: true })).toContain("--user=0:0");
  });

  test("carry an unusual umask through a shell, since docker has no option for it", () => {
    const argv = render("docker", { session: { umask: 0o077 } });
    expect(argv.slice(argv.indexOf("sha256:abc") + 1)).toEqual([
      "/bin/sh",
      "-c",
      'umask 0077; exec "$@"',
      "sh",
      ...SESSION.argv,
    ]);
  });

  test("limit, publish and isolate on demand", () => {
    const limits = { memory: 268_435_456, cpus: 1.5, pids: 100 };
    const argv = render("docker", { session: { limits, network: "default", ports: ["127.0.0.1:8080:80"] } });
    expect(argv).toEqual(
      expect.arrayContaining([
        "--memory=268435456",
        "--cpus=1.5",
        "--pids-limit=100",
        "--publish=127.0.0.1:8080:80",
      ]),
    );
    expect(render("docker", { session: { network: "none" } })).toContain("--network=none");
  });

  test("leave labels alone under SELinux, and go without one", () => {
    expect(render("podman", { selinux: true })).toContain("--security-opt=label=disable");
  });

  test.each([
    ["docker", "/a\nb"],
    ["podman", "/a\nb"],
    ["podman", "/a:b,c"],
  ] as const)("are refused for %s where %j cannot be mounted", (dialect, source) => {
    const mounts = [{ source, target: "/t", readOnly: true }];
    expect(() => render(dialect, { session: { mounts } })).toThrow(
      expect.objectContaining({ code: "MOUNT_REFUSED" }),
    );
  });
});

const SESSION: Session = {
  image: { digest: `sha256:${"a".repeat(64)}`, platform: "linux/amd64" },
  argv: ["printf", "%s", "a b", "", "--", "$(id)"],
  workdir: "/work/charts",
  mounts: [
    { source: "/etc/zone", target: "/etc/localtime", readOnly: true },
    { source: '/home/ada/a, "b": c', target: "/work", readOnly: false },
  ],
  files: [],
  copies: [],
  env: { HOME: "/home/toolbox", TOKEN: "s3cret" },
  secrets: ["TOKEN"],
  user: { uid: 1234, gid: 1235, name: "ada", group: "ada", home: "/home/toolbox" },
  tty: false,
  network: "host",
  hostname: "toolbox",
  umask: 0o022,
  limits: {},
  ports: [],
};

interface RenderCase {
  readonly session?: Partial<Session>;
  readonly rootless?: boolean;
  readonly selinux?: boolean;
  readonly init?: string;
}

function render(
  dialect: ContainerDialect,
  { session, rootless = false, selinux = false, init }: RenderCase = {},
): string[] {
  // Podman's plain example path would need both of its mount options at once.
  const mounts = dialect === "podman" ? [] : SESSION.mounts;
  return renderRunArguments({ ...SESSION, mounts, ...session }, "sha256:abc", {
    dialect,
    rootless,
    selinux,
    init,
  });
}
