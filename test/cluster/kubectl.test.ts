// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { canStartCluster, type RunningCluster, startCluster } from "../support/cluster.ts";
import {
  buildClusterImages,
  type ClusterImages,
  type ClusterOffice,
  openOffice,
  PLUGIN,
  TOOLBOX_LINE,
} from "../support/cluster-person.ts";
import { ENGINES_UNDER_TEST } from "../support/engine-list.ts";
import { runOnTerminal } from "../support/terminal.ts";

/** One engine of each kind; whoever calls them is what another test is about. */
const TITLES = ["docker as a plain user", "podman as root", "bubblewrap as a plain user"];
const ENGINES = ENGINES_UNDER_TEST.filter(({ title }) => TITLES.includes(title));

const WHO = ["kubectl", "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"];

let cluster: RunningCluster;
let images: ClusterImages;

describe.runIf(canStartCluster())("kubectl and a real API server", () => {
  beforeAll(async () => {
    cluster = await startCluster();
    images = await buildClusterImages(cluster);
  }, 7_200_000);
  afterAll(async () => {
    await images?.remove();
    await cluster?.stop();
  });

  describe.each(ENGINES)("$title", (engine) => {
    let office: ClusterOffice;
    beforeAll(async () => {
      office = await openOffice(engine, images);
    });
    afterAll(async () => office?.close());

    test("get what a server on 127.0.0.1 has", async () => {
      const ada = await office.hire();
      await ada.write(".kube/config", configOf("dev", { dev: { token: cluster.token } }));
      expect(await ada.say(["kubectl", "get", "ns"])).toMatch(/^default +Active/m);
      expect(JSON.parse(await ada.say(["kubectl", "get", "--raw", "/version"]))).toMatchObject({
        gitVersion: expect.stringMatching(/^v1\.\d+\.\d+$/),
      });
      expect(await ada.toolbox(["kubectl", "get", "ns", "no-such-namespace"])).toMatchObject({
        code: 1,
        stderr: 'Error from server (NotFound): namespaces "no-such-namespace" not found\n',
      });
    });

    test("switch the context in the private copy, and leave the read-only file of the host as it is", async () => {
      const ada = await office.hire();
      const file = await ada.write(".kube/config", configOf("dev", someUsers()), 0o400);
      await chmod(join(ada.home, ".kube"), 0o500);
      const before = await facts(file);
      expect(await ada.say(WHO)).toBe("user-0");
      expect(await ada.say(["kubectl", "config", "use-context", "other"])).toBe(
        'Switched to context "other".',
      );
      expect(await ada.say(["kubectl", "config", "current-context"])).toBe("other");
      expect(await ada.say(WHO)).toBe("ada");
      expect(await facts(file)).toEqual(before);
      expect(readdirSync(join(ada.home, ".kube"))).toEqual(["config"]);
    });

    test("keep the chosen context when the host's file changes in other things, and follow its own switch", async () => {
      const ada = await office.hire();
      const users = someUsers();
      await ada.write(".kube/config", configOf("dev", { ...users, dev: { token: "worn out" } }));
      await ada.say(["kubectl", "config", "use-context", "other"]);
      await ada.say(["kubectl", "config", "set-context", "other", "--namespace=kube-system"]);
      await ada.write(".kube/config", configOf("dev", { ...users, third: { token: cluster.token } }));
      expect(await ada.say(["kubectl", "config", "current-context"])).toBe("other");
      expect(await ada.say(["kubectl", "config", "view", "--minify", "-o", "jsonpath={..namespace}"])).toBe(
        "kube-system",
      );
      expect(await ada.say([...WHO, "--context=dev"])).toBe("user-0");
      await ada.write(".kube/config", configOf("third", { ...users, third: { token: cluster.token } }));
      expect(await ada.say(["kubectl", "config", "current-context"])).toBe("third");
    });

    test("carry nothing but the context that the session names", async () => {
      const ada = await office.hire("chosen");
      await ada.write(".kube/config", configOf("dev", someUsers()));
      expect(await ada.say(["kubectl", "config", "get-contexts", "-o", "name"])).toBe("other");
      expect(await ada.say(WHO)).toBe("ada");
      expect(await ada.say(["kubectl", "get", "serviceaccounts", "-o", "name"])).toBe("");
      const seen = await ada.toolbox(["grep", "-r", "-F", cluster.token, "/home/toolbox"]);
      expect(seen).toEqual({ code: 1, stdout: "", stderr: "" });
    });

    test("merge the files of KUBECONFIG, and take their certificates along from wherever they are", async () => {
      const ada = await office.hire();
      const { authority, clientCertificate, clientKey } = cluster.certificates;
      await ada.write("pki/ca.crt", await readFile(authority, "utf8"));
      await ada.write("clusters/keys/ada.crt", await readFile(clientCertificate, "utf8"));
      await ada.write("clusters/keys/ada.key", await readFile(clientKey, "utf8"));
      const names = {
        "client-certificate": "keys/ada.crt",
        "client-key": join(ada.home, "clusters/keys/ada.key"),
      };
      const first = configOf("dev", { dev: { token: cluster.token } });
      const second = configOf("far", { far: names }, { "certificate-authority": "../pki/ca.crt" });
      const paths = [
        await ada.write("clusters/one", first),
        join(ada.home, "clusters/not-there"),
        await ada.write("clusters/two", second.replaceAll('"local"', '"other-cluster"')),
      ];
      const env = { KUBECONFIG: paths.join(":") };
      expect(await ada.say(["kubectl", "config", "get-contexts", "-o", "name"], { env })).toBe("dev\nfar");
      expect(await ada.say(WHO, { env })).toBe("user-0");
      expect(await ada.say([...WHO, "--context=far"], { env })).toBe("ada");
    });

    test("sign in with the exec plugin of the image, and never run the host's", async () => {
      const ada = await office.hire();
      const canary = join(ada.workspace, "canary");
      const plugin = await ada.write(`bin/${PLUGIN}`, `#!/bin/sh\ntouch '${canary}'\n`, 0o755);
      const env = { PATH: `${join(ada.home, "bin")}:${process.env["PATH"] ?? ""}` };
      for (const command of [PLUGIN, plugin]) {
        await ada.write(".kube/config", configOf("sso", { sso: { exec: execOf(command) } }));
        expect(await ada.say(["run", "--image", "kube-login", ...WHO], { env })).toBe("user-1");
        const { code, stderr } = await ada.toolbox(WHO, { env });
        expect(stderr).toContain(
          `kubeconfig signs in with "${PLUGIN}", which no tool of image "kube" brings; use --image kube-login, which has it\n`,
        );
        expect(code).toBe(1);
      }
      expect(existsSync(canary)).toBe(false);
    });

    test("name the plugin that the context in use needs, and none that only the host's would need", async () => {
      const ada = await office.hire();
      const users = { sso: { exec: execOf(PLUGIN) }, dev: { token: cluster.token } };
      await ada.write(".kube/config", configOf("sso", users));
      const noted = { code: 0, stderr: expect.stringContaining(`signs in with "${PLUGIN}"`) };
      expect(await ada.toolbox(["kubectl", "config", "use-context", "dev"])).toMatchObject(noted);
      expect(await ada.say(WHO)).toBe("user-0");
      expect(await ada.say(["kubectl", "config", "use-context", "sso"])).toBe('Switched to context "sso".');
      expect(await ada.toolbox(["kubectl", "config", "current-context"])).toMatchObject(noted);
    });

    test("stop a watch when nobody reads it any more, without a word", async () => {
      const ada = await office.hire();
      await ada.write(".kube/config", configOf("dev", { dev: { token: cluster.token } }));
      const mark = newMark();
      const line = ["kubectl", "get", "namespaces", "-w", "-l", `who!=${mark}`];
      const ended = await withNews(
        mark,
        ada.run("sh", ["-c", '"$@" | head -n 1', "sh", ...TOOLBOX_LINE, ...line]),
      );
      expect(ended).toEqual({
        code: 0,
        stdout: expect.stringMatching(/^NAME +STATUS +AGE\n$/),
        stderr: "",
      });
      await untilGone(mark);
    });

    test.each([
      // kubectl catches the signal while it watches, and says 1; where it does not, the signal ends it.
      ["a watch", ["get", "ns", "--watch-only"], /Active/, 1],
      ["a proxy", ["proxy", "--port=0"], /Starting to serve on/, 130],
    ] as const)(
      "end %s at Ctrl-C with kubectl's own exit code, and leave nothing behind",
      async (_, args, after, own) => {
        const ada = await office.hire();
        await ada.write(".kube/config", configOf("dev", { dev: { token: cluster.token } }));
        const mark = newMark();
        const line = [...TOOLBOX_LINE, "kubectl", ...args, `--cache-dir=/tmp/${mark}`];
        const { uid, gid } = office.engine.caller;
        const { code, screen } = await withNews(
          mark,
          runOnTerminal("setpriv", [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", ...line], {
            cwd: ada.workspace,
            env: ada.env,
            steps: [{ after, type: "\u0003" }],
          }),
        );
        expect(screen).not.toMatch(/error|panic|goroutine/);
        expect(code).toBe(own);
        await untilGone(mark);
      },
    );
  });
});

/** Two contexts: "dev" signs in as user-0 with a token, "other" as ada with a certificate. */
function someUsers(): Record<string, object> {
  const { clientCertificate, clientKey } = cluster.certificates;
  return {
    dev: { token: cluster.token },
    other: { "client-certificate-data": encode(clientCertificate), "client-key-data": encode(clientKey) },
  };
}

/** A kubeconfig with a context for each user, all on the one cluster. */
function configOf(
  current: string,
  users: Readonly<Record<string, object>>,
  trust: object = {
    "certificate-authority-data": encode(cluster.certificates.authority),
  },
): string {
  const names = Object.keys(users);
  const value = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "local", cluster: { server: cluster.url, ...trust } }],
    users: names.map((name) => ({ name, user: users[name] })),
    contexts: names.map((name) => ({ name, context: { cluster: "local", user: name } })),
    "current-context": current,
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** A file as the members of a kubeconfig whose names end in "-data" hold it. */
function encode(path: string): string {
  return readFileSync(path).toString("base64");
}

function execOf(command: string): object {
  return { apiVersion: "client.authentication.k8s.io/v1", command, interactiveMode: "Never" };
}

/** What must stay of a file that is only read. */
async function facts(path: string): Promise<object> {
  const { mode, uid, gid, ino, mtimeMs, ctimeMs } = await stat(path);
  return { content: await readFile(path, "utf8"), mode, uid, gid, ino, mtimeMs, ctimeMs };
}

/** A name that a namespace can have and that no command line holds by chance. */
function newMark(): string {
  return `m${randomBytes(6).toString("hex")}`;
}

/** Makes namespaces until `running` is done: kubectl notices a closed pipe when it has something to say. */
async function withNews<T>(mark: string, running: Promise<T>): Promise<T> {
  const state = { isDone: false };
  const done = running.finally(() => (state.isDone = true));
  for (let count = 0; !state.isDone; count += 1) {
    await cluster.makeNamespace(`${mark}-${count}`);
    await Promise.race([done, wait(200)]);
  }
  return await done;
}

/** Waits until no process has `mark` among its arguments. */
async function untilGone(mark: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  let left: string[] = [];
  do {
    left = commandLines().filter((line) => line.includes(mark));
    if (left.length === 0) return;
    await wait(100);
  } while (performance.now() < deadline);
  expect(left).toEqual([]);
}

function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        // It ended meanwhile.
        return "";
      }
    });
}
