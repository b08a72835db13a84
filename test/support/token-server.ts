// SPDX-License-Identifier: Apache-2.0
import { randomUUID, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { makeFolder, outputOf, type TemporaryFolder } from "./programs.ts";

const SERVICE = "test-registry";
const ISSUER = "test-issuer";

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** A token service as registries have one (Docker token authentication): gives a user what was asked for. */
export interface TokenServer {
  /** The value of `WWW-Authenticate` that sends clients here. */
  readonly challenge: string;
  /** The `auth` section of docker-registry's configuration. */
  readonly dockerRegistryAuth: object;
  /** The `auth` section of zot's configuration. */
  readonly zotAuth: object;
  /** How often tokens were given, and refused. */
  readonly given: number;
  readonly refused: number;
  /** Whether a header holds a token of this server that allows `action` on the repository. */
  allows(authorization: string | undefined, name: string, action: string): boolean;
  close(): Promise<void>;
}

/** Starts one that knows one user. Its tokens are JSON Web Tokens, signed with a key made for this run. */
export async function startTokenServer(user: { name: string; password: string }): Promise<TokenServer> {
  const folder = await makeFolder("token");
  const certificate = join(folder.path, "cert.pem");
  const key = await makeKey(folder, certificate);
  const server = new RunningTokenServer({ user, key, certificate, folder });
  await server.start();
  return server;
}

async function makeKey(folder: TemporaryFolder, certificate: string): Promise<SigningKey> {
  const path = join(folder.path, "key.pem");
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-keyout", path, "-out", certificate, "-days", "2", "-subj", "/CN=test"];
  await outputOf("openssl", ["req", "-x509", ...kind, ...files]);
  const pem = await readFile(certificate, "utf8");
  const chain = [pem.replaceAll(/-----[^-]+-----|\s/g, "")];
  return { pem: await readFile(path, "utf8"), chain };
}

interface SigningKey {
  readonly pem: string;
  /** DER in base64, as `x5c` wants it. */
  readonly chain: readonly string[];
}

interface TokenServerParts {
  readonly user: { readonly name: string; readonly password: string };
  readonly key: SigningKey;
  readonly certificate: string;
  readonly folder: TemporaryFolder;
}

class RunningTokenServer implements TokenServer {
  given = 0;
  refused = 0;
  readonly #parts: TokenServerParts;
  readonly #server: Server;
  readonly #tokens = new Map<string, readonly Access[]>();

  constructor(parts: TokenServerParts) {
    this.#parts = parts;
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, "127.0.0.1", resolve);
    });
  }

  get #realm(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`;
  }

  get challenge(): string {
    return `Bearer realm="${this.#realm}",service="${SERVICE}"`;
  }

  get dockerRegistryAuth(): object {
    const { certificate } = this.#parts;
    const where = { realm: this.#realm, service: SERVICE, issuer: ISSUER };
    return { token: { ...where, rootcertbundle: certificate } };
  }

  get zotAuth(): object {
    return { bearer: { realm: this.#realm, service: SERVICE, cert: this.#parts.certificate } };
  }

  allows(authorization: string | undefined, name: string, action: string): boolean {
    const granted = this.#tokens.get(authorization?.replace(/^Bearer /, "") ?? "");
    if (granted === undefined) return false;
    return name === "" || granted.some((access) => access.name === name && access.actions.includes(action));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
    await this.#parts.folder.remove();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { name, password } = this.#parts.user;
    const basic = `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
    if (request.headers.authorization !== basic) {
      this.refused += 1;
      response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
      return;
    }
    this.given += 1;
    const query = new URL(request.url ?? "", this.#realm).searchParams;
    const access = query.getAll("scope").flatMap((text) => text.split(" ").map(parseScope));
    const token = this.#sign(access);
    this.#tokens.set(token, access);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ token, expires_in: 300 }));
  }

  #sign(access: readonly Access[]): string {
    const { key, user } = this.#parts;
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, nbf: now - 10, exp: now + 300 };
    const claims = { iss: ISSUER, sub: user.name, aud: SERVICE, jti: randomUUID(), ...times, access };
    const text = [{ typ: "JWT", alg: "ES256", x5c: key.chain }, claims].map(encode).join(".");
    const signature = sign("sha256", Buffer.from(text), { key: key.pem, dsaEncoding: "ieee-p1363" });
    return `${text}.${signature.toString("base64url")}`;
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** `repository:NAME:ACTION,...` */
function parseScope(scope: string): Access {
  const [type = "", name = "", actions = ""] = scope.split(":");
  return { type, name, actions: actions.split(",") };
}
