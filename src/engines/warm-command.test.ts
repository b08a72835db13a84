// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import type { Session } from "../session/index.ts";
import type { ContainerDialect } from "./container-command.ts";
import { renderWarmExec, renderWarmSignal, renderWarmStart, warmKey, warmName } from "./warm-command.ts";

describe("the arguments that start a warm container", () => {
  test.each(["docker", "nerdctl"] as const)("for %s, golden", (dialect) => {
    const argv = start(dialect);
    expect(argv.slice(0, argv.indexOf("-c"))).toEqual([
      "run",
      "--detach",
      "--rm",
      "--pull=never",
      "--name=toolbox-shop-1",
      "--label=best-tools.toolbox.session=k1",
      "--label=best-tools.toolbox.workspace=/srv/shop",
      `--label=best-tools.toolbox.image=${SESSION.image.digest}`,
      "--init",
      "--hostname=toolbox",
      "--workdir=/work",
      "--user=1234:1235",
      "--cap-drop=ALL",
      "--security-opt=no-new-privileges",
      "--network=host",
      "--mount",
      "type=bind,source=/srv/shop,target=/work",
      "--entrypoint=",
      "sha256:abc",
      "/bin/sh",
    ]);
    expect(argv.slice(-5)).toEqual(["toolbox-idle", "/home/toolbox/.toolbox/warm/k1", "1800", "15", "3"]);
  });

  test("for rootless podman keep the caller's number, and count one process less without an init", () => {
    expect(start("podman")).toEqual(expect.arrayContaining(["--userns=keep-id", "--umask=0022"]));
    expect(start("podman").at(-1)).toBe("2");
    expect(start("podman", "/usr/bin/catatonit").at(-1)).toBe("3");
  });

  test("hold no variable of a command, so that no secret stays in a container's settings", () => {
    expect(start("docker").join(" ")).not.toMatch(/s3cret|TOKEN|HOME=/);
  });
});

describe("the arguments of a command in a warm container", () => {
  test("golden: its own folder, variables, umask and argv; secrets by name only", () => {
    expect(renderWarmExec(SESSION, "toolbox-shop-1", "/home/toolbox/.toolbox/warm/p")).toEqual([
      "exec",
      "--interactive",
      "--workdir=/work/charts",
      "--env=HOME=/home/toolbox",
      "--env=TOKEN",
      "toolbox-shop-1",
      "/bin/sh",
      "-c",
      'umask "$1"; echo $$ >"$2"; shift 2; exec "$@"',
      "sh",
      "0022",
      "/home/toolbox/.toolbox/warm/p",
      "printf",
      "",
      "$(id)",
    ]);
    expect(renderWarmExec({ ...SESSION, tty: true }, "n", "p")).toContain("--tty");
  });

  test("a signal goes to the command by its number", () => {
    expect(renderWarmSignal("n", "SIGTERM", "42").slice(-3)).toEqual(["sh", "TERM", "42"]);
  });
});

describe("what a warm container is for", () => {
  test("is the same for other commands, folders, terminals and variables", () => {
    const other = { ...SESSION, argv: ["id"], workdir: "/work", tty: true, env: {}, secrets: [] };
    expect(keyOf(other)).toBe(keyOf(SESSION));
  });

  test.each<[string, Partial<Session>]>([
    ["image", { image: { digest: `sha256:${"b".repeat(64)}`, platform: "linux/amd64" } }],
    ["mount", { mounts: [{ source: "/srv/shop", target: "/work", readOnly: true }] }],
    ["network", { network: "none" }],
    ["limit", { limits: { pids: 5 } }],
    ["user", { user: { ...caller(), gid: 7 } }],
  ])("is another with another %s", (_, change) => {
    expect(keyOf({ ...SESSION, ...change })).not.toBe(keyOf(SESSION));
  });

  test("is another when a mounted file was replaced", () => {
    expect(keyOf(SESSION, ["/a 1:2"])).not.toBe(keyOf(SESSION, ["/a 1:3"]));
  });

  test("shows in its name", () => {
    expect(warmName("/srv/my shop", "0123456789abcdef")).toMatch(
      /^toolbox-my-shop-[0-9a-f]{12}-0123456789ab$/,
    );
  });
});

const SESSION: Session = {
  image: { digest: `sha256:${"a".repeat(64)}`, platform: "linux/amd64" },
  argv: ["printf", "", "$(id)"],
  workdir: "/work/charts",
  mounts: [{ source: "/srv/shop", target: "/work", readOnly: false }],
  files: [],
  copies: [],
  env: { HOME: "/home/toolbox", TOKEN: "s3cret" },
  secrets: ["TOKEN"],
  user: caller(),
  tty: false,
  network: "host",
  hostname: "toolbox",
  umask: 0o022,
  limits: {},
  ports: [],
};

function caller(): Session["user"] {
  return { uid: 1234, gid: 1235, name: "ada", group: "ada", home: "/home/toolbox" };
}

function keyOf(session: Session, places: readonly string[] = []): string {
  return warmKey(session, { dialect: "docker", rootless: false, selinux: false }, places);
}

function start(dialect: ContainerDialect, init?: string): string[] {
  const plan = { key: "k1", name: "toolbox-shop-1", workspace: "/srv/shop", idle: 1800 };
  const rootless = dialect === "podman";
  return renderWarmStart(
    SESSION,
    { location: "sha256:abc", plan },
    { dialect, rootless, selinux: false, init },
  );
}
