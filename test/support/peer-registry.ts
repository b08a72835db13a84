// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { join } from "node:path";
import bcrypt from "bcryptjs";
import { startRegistryServer } from "../../src/registry/index.ts";
import { serveDockerRegistry } from "./docker-registry.ts";
import { type FaultyRegistry, startFaultyRegistry } from "./faulty-registry.ts";
import { hasPrograms, makeFolder, type TemporaryFolder } from "./programs.ts";
import { canBuildGoPrograms, prepareGoProgram } from "./programs-go.ts";
import { startTokenServer, type TokenServer } from "./token-server.ts";
import { hasZot, serveZot } from "./zot.ts";

/** Registries that our client is tried against: ours, Debian's docker-registry, the one that crane brings, and zot. */
export type PeerName = "toolbox" | "docker-registry" | "crane" | "zot";

/** Each registry, and whether it is here. zot is on the list only where `TOOLBOX_ZOT` says where it is. */
export const PEERS: readonly (readonly [PeerName, boolean])[] = [
  ["toolbox", true],
  ["docker-registry", hasPrograms("docker-registry")],
  ["crane", canBuildGoPrograms()],
  ...(hasZot() ? [["zot", true] as const] : []),
];

/** How a peer asks who is there. */
export type PeerAuth = "nobody" | "htpasswd" | "token";

/** The one user of the peers. */
export const USER = { name: "ann", password: "s3cret" } as const;

/** A running registry that this project may or may not have written. */
export interface PeerRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly stop: () => Promise<void>;
}

/** Starts one over a folder of its own. */
export async function startPeer(name: PeerName, auth: PeerAuth = "nobody"): Promise<PeerRegistry> {
  if (auth === "nobody") return startOpen(name);
  if (auth === "token") return startWithTokens(name);
  if (name === "zot") return startZotWithPasswords();
  if (name === "crane") return startBehindFront(await startOpen(name), undefined);
  const { folder, htpasswd } = await makePasswords();
  const peer =
    name === "toolbox"
      ? await startOurs({ htpasswd })
      : await serveDockerRegistry({ htpasswd: { realm: "test", path: htpasswd } });
  return { host: peer.host, stop: async () => stopAll(peer.stop, folder.remove) };
}

async function startZotWithPasswords(): Promise<PeerRegistry> {
  const { folder, htpasswd } = await makePasswords();
  const { host, stop } = await serveZot({ htpasswd: { path: htpasswd } });
  return { host, stop: async () => stopAll(stop, folder.remove) };
}

async function makePasswords(): Promise<{ folder: TemporaryFolder; htpasswd: string }> {
  const folder = await makeFolder("htpasswd");
  const htpasswd = join(folder.path, "htpasswd");
  // Go's bcrypt knows $2y$ as well as $2b$, and so do Apache's tools.
  const hash = (await bcrypt.hash(USER.password, 4)).replace(/^\$2b\$/, "$2y$");
  await writeFile(htpasswd, `${USER.name}:${hash}\n`);
  return { folder, htpasswd };
}

async function startOpen(name: PeerName): Promise<PeerRegistry> {
  if (name === "toolbox") return startOurs({});
  if (name === "zot") return serveZot();
  return name === "crane" ? serveCrane() : serveDockerRegistry();
}

async function startOurs(options: { readonly htpasswd?: string }): Promise<PeerRegistry> {
  const folder = await makeFolder("ours");
  const server = await startRegistryServer({ folder: folder.path, stopTimeout: 100, ...options });
  return { host: server.address, stop: async () => stopAll(async () => server.close(), folder.remove) };
}

async function startWithTokens(name: PeerName): Promise<PeerRegistry> {
  const tokens = await startTokenServer(USER);
  const stopTokens = async (): Promise<void> => tokens.close();
  if (name === "docker-registry") {
    const { host, stop } = await serveDockerRegistry(tokens.dockerRegistryAuth);
    return { host, stop: async () => stopAll(stop, stopTokens) };
  }
  if (name === "zot") {
    const { host, stop } = await serveZot(tokens.zotAuth);
    return { host, stop: async () => stopAll(stop, stopTokens) };
  }
  const { host, stop } = await startBehindFront(await startOpen(name), tokens);
  return { host, stop: async () => stopAll(stop, stopTokens) };
}

/** Puts a front that asks for a password, or for a token, before a registry that asks for nothing. */
async function startBehindFront(
  { host, stop }: PeerRegistry,
  tokens: TokenServer | undefined,
): Promise<PeerRegistry> {
  const challenge = tokens?.challenge ?? 'Basic realm="test"';
  const basic = `Basic ${Buffer.from(`${USER.name}:${USER.password}`).toString("base64")}`;
  const front: FaultyRegistry = await startFaultyRegistry(
    ({ forward, reply, request, target }) => {
      const { authorization } = request.headers;
      const repository = /^\/v2\/(.+?)\/(?:blobs|manifests|tags|referrers)\//.exec(target)?.[1] ?? "";
      const action = ACTIONS[request.method ?? ""] ?? "push";
      const isAllowed = tokens?.allows(authorization, repository, action) ?? authorization === basic;
      if (isAllowed) forward();
      else reply(401, { "www-authenticate": challenge, connection: "close" });
    },
    { backend: host },
  );
  return { host: front.address, stop: async () => stopAll(async () => front.close(), stop) };
}

const ACTIONS: Readonly<Record<string, string>> = { GET: "pull", HEAD: "pull", DELETE: "delete" };

async function serveCrane(): Promise<PeerRegistry> {
  const folder = await makeFolder("crane");
  const args = ["registry", "serve", "--address", "127.0.0.1:0", "--disk", folder.path];
  const child = spawn(await prepareGoProgram("crane"), args, { stdio: ["ignore", "ignore", "pipe"] });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    }
    await folder.remove();
  };
  for await (const line of createInterface({ input: child.stderr })) {
    const port = /serving on port (\d+)/i.exec(line)?.[1];
    if (port === undefined) continue;
    child.stderr.resume();
    return { host: `127.0.0.1:${port}`, stop };
  }
  await stop();
  throw new Error("crane does not serve");
}

async function stopAll(...steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const step of steps) await step();
}
