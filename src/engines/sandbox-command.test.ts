// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { Session } from "../session/index.ts";
import { renderBubblewrapArguments } from "./bubblewrap-command.ts";
import { type NamespacesPlan, quoteWord, renderNamespacesArguments } from "./namespaces-command.ts";
import { renderBundle } from "./runtime-bundle.ts";

describe("the arguments of bwrap", () => {
  test("for a plain user, golden", () => {
    const launcher = ["/usr/bin/env", "--default-signal=INT,QUIT", "--"];
    const argv = renderBubblewrapArguments({
      session: SESSION,
      root: "/data/root",
      asRoot: false,
      hasOverlay: false,
      launcher,
    });
    expect(argv).toEqual([
      "--die-with-parent",
      "--unshare-pid",
      "--unshare-ipc",
      "--unshare-uts",
      "--unshare-cgroup-try",
      "--unshare-user",
      "--uid",
      "1234",
      "--gid",
      "1235",
      "--hostname",
      "toolbox",
      "--ro-bind",
      "/data/root",
      "/",
      "--proc",
      "/proc",
      "--dev",
      "/dev",
      "--ro-bind-try",
      "/sys",
      "/sys",
      "--perms",
      "1777",
      "--tmpfs",
      "/tmp",
      "--perms",
      "1777",
      "--tmpfs",
      "/var/tmp",
      "--tmpfs",
      "/run",
      "--ro-bind",
      "/srv/a, b",
      "/opt/x y",
      "--bind",
      "/home/ada/shop",
      "/work",
      "--chdir",
      "/work",
      "--",
      "/usr/bin/env",
      "--default-signal=INT,QUIT",
      "--",
      "helm",
      "lint",
      "--x=$(id)",
      "",
    ]);
  });

  test("lay a throw-away layer over the image where bwrap can, and need no user namespace for root", () => {
    const plan = {
      session: { ...SESSION, network: "none" },
      root: "/r",
      asRoot: true,
      hasOverlay: true,
      launcher: [],
    } as const;
    const argv = renderBubblewrapArguments(plan).join(" ");
    expect(argv).toContain(
      "--cap-drop ALL --unshare-net --hostname toolbox --overlay-src /r --tmp-overlay / ",
    );
    expect(argv).not.toContain("--unshare-user");
  });
});

describe("the arguments of unshare", () => {
  test("end with the command, byte for byte, behind a script that POSIX sh can parse", () => {
    const argv = renderNamespacesArguments(PLAN);
    expect(argv.slice(0, 10)).toEqual([
      "--map-root-user",
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
      "--ipc",
      "--uts",
      "--",
      "/bin/sh",
      "-c",
    ]);
    expect(argv.slice(11)).toEqual([
      "toolbox",
      "/usr/bin/setpriv",
      "--no-new-privs",
      "/usr/bin/env",
      "--default-signal=INT,QUIT",
      "/usr/bin/unshare",
      "--map-user=1234",
      "--map-group=1235",
      "--root=/image",
      "--wd=/work",
      "--",
      "helm",
      "lint",
      "--x=$(id)",
      "",
    ]);
    expect(execFileSync("sh", ["-n", "-c", argv[10] ?? ""]).toString()).toBe("");
  });

  test("write paths into the mount table as fstab(5) wants them", () => {
    const script = renderNamespacesArguments(PLAN)[10];
    expect(script).toContain("/srv/a,\\040b /data/s/image/opt/x\\040y none rbind,ro 0 0\n");
    expect(script).toContain("/home/ada/shop /data/s/image/work none rbind 0 0\n");
  });

  test("lay the overlay on the image's own path, unless mount(8) would read it in another way", () => {
    expect(renderNamespacesArguments(PLAN)[10]).toContain(" -o lowerdir=/data/root,upperdir=upper,");
    const script = renderNamespacesArguments({ ...PLAN, root: "/da,ta:1/root" })[10];
    expect(script).toContain(" --bind /da,ta:1/root lower ");
    expect(script).toContain(" -o lowerdir=lower,upperdir=upper,");
  });

  test("map nobody for root whose image can drop capabilities itself", () => {
    const launcher = ["/usr/bin/setpriv", "--bounding-set=-all", "--"];
    const argv = renderNamespacesArguments({ ...PLAN, asRoot: true, launcher });
    expect(argv.join(" ")).not.toMatch(/--map-/);
    expect(argv.join(" ")).toMatch(
      / toolbox \/usr\/bin\/env \S+ \S+ --root=\/image --wd=\/work -- \/usr\/bin\/setpriv --bounding-set=-all -- helm/,
    );
  });

  test.each(["a b", "it's", "$(id)", "`id`", "a\nb", "*", "~", "", "-n", "\\"])(
    "quote %j so that sh reads it back",
    (word) => {
      expect(execFileSync("sh", ["-c", `printf %s ${quoteWord(word)}`]).toString()).toBe(word);
    },
  );
});

describe("a runtime bundle", () => {
  const bundle = renderBundle(SESSION, { root: "/data/root", uid: 1234, gid: 1235, init: "/usr/bin/tini" });

  test("has no capabilities, no new privileges and a read-only root", () => {
    expect(bundle).toMatchObject({
      root: { path: "/data/root", readonly: true },
      process: {
        args: ["/run/toolbox-init", "--", "helm", "lint", "--x=$(id)", ""],
        cwd: "/work",
        user: { uid: 1234, gid: 1235, umask: 0o022 },
        capabilities: { bounding: [], effective: [], permitted: [] },
        noNewPrivileges: true,
      },
    });
  });

  test("maps the caller alone", () => {
    expect(bundle["linux"]).toMatchObject({ uidMappings: [{ containerID: 1234, hostID: 1234, size: 1 }] });
  });

  test("for a runtime that needs a root makes the caller that root", () => {
    const other = renderBundle(SESSION, { root: "/r", uid: 1234, gid: 1235, needsRoot: true });
    expect(other).toMatchObject({
      process: { user: { uid: 0 } },
      linux: { uidMappings: [{ containerID: 0, hostID: 1234 }] },
    });
  });

  test("without an init shares the host's process numbers, since a first process would ignore signals", () => {
    const other = renderBundle(SESSION, { root: "/r", uid: 0, gid: 0 });
    expect(JSON.stringify(other["linux"])).not.toContain('"pid"');
  });
});

const SESSION: Session = {
  image: { digest: `sha256:${"a".repeat(64)}`, platform: "linux/amd64" },
  argv: ["helm", "lint", "--x=$(id)", ""],
  workdir: "/work",
  mounts: [
    { source: "/srv/a, b", target: "/opt/x y", readOnly: true },
    { source: "/home/ada/shop", target: "/work", readOnly: false },
  ],
  files: [],
  copies: [],
  env: {},
  secrets: [],
  user: { uid: 1234, gid: 1235, name: "ada", group: "ada", home: "/home/toolbox" },
  tty: false,
  network: "host",
  hostname: "toolbox",
  umask: 0o022,
  limits: {},
  ports: [],
};

const PLAN: NamespacesPlan = {
  session: SESSION,
  root: "/data/root",
  asRoot: false,
  launcher: [],
  scratch: "/data/s",
  devices: "/data/dev",
  systemFolders: ["/bin", "/lib", "/usr"],
  tools: {
    sh: "/bin/sh",
    unshare: "/usr/bin/unshare",
    setpriv: "/usr/bin/setpriv",
    env: "/usr/bin/env",
    mount: "/usr/bin/mount",
    umount: "/usr/bin/umount",
    mkdir: "/usr/bin/mkdir",
    pivot_root: "/usr/sbin/pivot_root",
    resetsSignals: true,
  },
};
