// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type ClusterCertificates, makeClusterCertificates } from "./cluster-certificates.ts";
import { hasPrograms, makeFolder } from "./programs.ts";
import { canBuildServers, prepareServer } from "./programs-cluster.ts";

/** A cluster without nodes: what kubectl talks to, and where that keeps its things. */
export interface RunningCluster {
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
  readonly certificates: ClusterCertificates;
  /** A bearer token that the server takes for a user who may do everything. */
  readonly token: string;
  /** Like {@link token}, and what only the exec plugin of the tests knows. */
  readonly pluginToken: string;
  /** Something for a watch to see. */
  readonly makeNamespace: (name: string) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const TOKEN = "token-of-ada";
const PLUGIN_TOKEN = "token-by-plugin";

/** How long a server may take to answer on a busy machine, in milliseconds. */
const START_LIMIT = 300_000;

/** Whether {@link startCluster} can work here. */
export function canStartCluster(): boolean {
  return canBuildServers() && hasPrograms("openssl");
}

/** Starts etcd and kube-apiserver on loopback, and waits until they are ready. */
export async function startCluster(): Promise<RunningCluster> {
  const programs = { etcd: await prepareServer("etcd"), apiserver: await prepareServer("kube-apiserver") };
  const folder = await makeFolder("cluster");
  try {
    const certificates = await makeClusterCertificates(folder.path);
    const tokens = [TOKEN, PLUGIN_TOKEN].map(
      (token, index) => `${token},user-${index},${index},"system:masters"`,
    );
    await writeFile(join(folder.path, "tokens.csv"), `${tokens.join("\n")}\n`, { mode: 0o600 });
    const servers = await startServers(programs, folder.path, certificates);
    return {
      url: servers.url,
      certificates,
      token: TOKEN,
      pluginToken: PLUGIN_TOKEN,
      async makeNamespace(name) {
        const status = await ask(servers, "/api/v1/namespaces", { metadata: { name } });
        if (status !== 201) throw new Error(`namespace "${name}" was not made: ${status}`);
      },
      stop: async () => {
        await servers.stop();
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

interface Servers extends ClusterApi {
  readonly stop: () => Promise<void>;
}

/** Ports are free when the kernel gives them and may be taken a moment later, so a server that ends is started anew. */
async function startServers(
  programs: { readonly etcd: string; readonly apiserver: string },
  folder: string,
  certificates: ClusterCertificates,
): Promise<Servers> {
  const ca = await readFile(certificates.authority, "utf8");
  let said = "";
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const [client, peer, secure] = await freePorts(3);
    const etcdUrl = `http://127.0.0.1:${client}`;
    const url = `https://127.0.0.1:${secure}`;
    const data = join(folder, `etcd-${attempt}`);
    const etcd = startServer(programs.etcd, etcdArguments(data, etcdUrl, peer), folder);
    const apiserver = startServer(
      programs.apiserver,
      apiserverArguments({ folder, etcdUrl, secure }, certificates),
      folder,
    );
    const stop = async (): Promise<void> => {
      await apiserver.stop();
      await etcd.stop();
    };
    if (await isReady({ url, ca }, [etcd.child, apiserver.child])) return { url, ca, stop };
    await stop();
    said = `${await readFile(etcd.log, "utf8")}\n${await readFile(apiserver.log, "utf8")}`;
    if (!said.includes("address already in use")) break;
  }
  throw new Error(`the cluster does not start: ${said.slice(-6000)}`);
}

function etcdArguments(data: string, url: string, peer: number | undefined): string[] {
  const peerUrl = `http://127.0.0.1:${peer}`;
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    // What is stored is thrown away anyway, and other work waits for the disk.
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

function apiserverArguments(
  { folder, etcdUrl, secure }: { folder: string; etcdUrl: string; secure: number | undefined },
  certificates: ClusterCertificates,
): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${secure}`,
    // Nobody else ever reads it, and a machine without a route out has no address to find.
    "--advertise-address=192.0.2.1",
    "--endpoint-reconciler-type=none",
    `--tls-cert-file=${certificates.serverCertificate}`,
    `--tls-private-key-file=${certificates.serverKey}`,
    `--client-ca-file=${certificates.authority}`,
    `--token-auth-file=${join(folder, "tokens.csv")}`,
    `--cert-dir=${folder}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${certificates.accountKey}`,
    `--service-account-signing-key-file=${certificates.accountKey}`,
    "--service-cluster-ip-range=10.0.0.0/24",
    // No controller runs that would make the account that pods otherwise need.
    "--disable-admission-plugins=ServiceAccount",
  ];
}

interface Server {
  readonly child: ChildProcess;
  readonly log: string;
  readonly stop: () => Promise<void>;
}

let serverCount = 0;

function startServer(program: string, args: readonly string[], folder: string): Server {
  serverCount += 1;
  const log = join(folder, `server-${serverCount}.log`);
  const output = openSync(log, "w");
  const child = spawn(program, args, { stdio: ["ignore", output, output], cwd: folder });
  closeSync(output);
  const closed = once(child, "close");
  return {
    child,
    log,
    stop: async () => {
      // Asked kindly, the API server waits a minute for watches that nobody reads any more.
      if (!hasEnded(child)) child.kill("SIGKILL");
      await closed;
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Resolves to false when a server ended instead. */
async function isReady(api: ClusterApi, servers: readonly ChildProcess[]): Promise<boolean> {
  const deadline = performance.now() + START_LIMIT;
  while (performance.now() < deadline && !servers.some(hasEnded)) {
    // The default namespace is made a little after the server calls itself ready.
    const answers = [await ask(api, "/readyz"), await ask(api, "/api/v1/namespaces/default")];
    if (answers.every((status) => status === 200)) return true;
    await wait(200);
  }
  return false;
}

interface ClusterApi {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
}

/** The status of the answer; 0 when there is none. */
async function ask({ url, ca }: ClusterApi, path: string, body?: object): Promise<number> {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const method = body === undefined ? "GET" : "POST";
  return new Promise((resolve) => {
    const asked = request(`${url}${path}`, { method, ca, headers, timeout: 10_000 }, (answer) => {
      answer.resume();
      answer.once("close", () => resolve(answer.statusCode ?? 0));
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(0));
    asked.end(body === undefined ? "" : JSON.stringify(body));
  });
}

/** Ports of 127.0.0.1, all different, that the kernel found free. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address !== null && typeof address === "object") ports.push(address.port);
  }
  await Promise.all(servers.map(async (server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
