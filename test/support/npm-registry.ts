// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import { closeServer, pourEndlessly } from "./loopback-server.ts";

/** A member of a package's archive: text, or a header that says more. */
export type ModuleMember =
  | string
  | {
      readonly content?: string;
      readonly mode?: number;
      readonly type?: "file" | "directory" | "symlink" | "link" | "fifo";
      readonly linkname?: string;
    };

/** Members by their whole path; a list where one path comes twice. */
export type ModuleMembers = readonly (readonly [path: string, member: ModuleMember])[];

/** An npm registry on this machine. */
export interface NpmRegistry {
  readonly url: string;
  /** Adds a version. `fields` go into its manifest; its archive holds `package/package.json` and `members`. */
  readonly publish: (
    name: string,
    version: string,
    fields?: Readonly<Record<string, unknown>>,
    members?: ModuleMembers,
  ) => Promise<void>;
  /** What is really sent instead of an archive, by `NAME-VERSION.tgz`. */
  readonly lies: Map<string, Buffer | "endless">;
  /** Changes the document of a package before it is sent. */
  readonly documents: Map<string, Record<string, Record<string, Record<string, unknown>>>>;
  /** Paths that were asked for, each with the credentials that came along. */
  readonly asked: { readonly path: string; readonly authorization: string | undefined }[];
  /** Requests without these credentials are refused. Absent: none are wanted. */
  token: string | undefined;
  readonly clear: () => void;
  readonly close: () => Promise<void>;
}

/** Starts an empty registry, on a port that the kernel chooses. */
export async function startNpmRegistry(): Promise<NpmRegistry> {
  const archives = new Map<string, Buffer>();
  const state: Omit<NpmRegistry, "url" | "close" | "publish" | "clear"> = {
    lies: new Map(),
    documents: new Map(),
    asked: [],
    token: undefined,
  };
  const server = createServer((request, response) => answer(request, response, registry, archives));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const registry: NpmRegistry = Object.assign(state, {
    url,
    publish: async (
      name: string,
      version: string,
      fields: Readonly<Record<string, unknown>> = {},
      members: ModuleMembers = [],
    ) => {
      const manifest = { name, version, ...fields };
      const archive = await packModule([["package/package.json", JSON.stringify(manifest)], ...members]);
      const file = `${name.replace("/", "-")}-${version}.tgz`;
      archives.set(file, archive);
      const integrity = `sha512-${createHash("sha512").update(archive).digest("base64")}`;
      const document = state.documents.get(name) ?? { "dist-tags": {}, versions: {} };
      state.documents.set(name, document);
      const dist = { tarball: `${url}/files/${file}`, integrity };
      document["versions"] = { ...document["versions"], [version]: { ...manifest, dist } };
      document["dist-tags"] = { latest: version as never };
    },
    clear: () => {
      archives.clear();
      state.documents.clear();
    },
    close: async () => closeServer(server),
  });
  return registry;
}

/** An archive as npm makes one; hostile members go in as they are. */
export async function packModule(members: ModuleMembers): Promise<Buffer> {
  const tar = pack();
  for (const [name, member] of members) {
    const { content = "", ...header } = typeof member === "string" ? { content: member } : member;
    const { linkname, type } = header;
    const isFile = type === undefined || type === "file";
    const size = Buffer.byteLength(content);
    tar.entry(
      { name, mode: 0o644, ...header, ...(linkname !== undefined && { linkname }), ...(isFile && { size }) },
      isFile ? content : "",
    );
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks));
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { lies, documents, asked, token }: NpmRegistry,
  archives: ReadonlyMap<string, Buffer>,
): void {
  const path = decodeURIComponent(request.url ?? "/");
  const { authorization } = request.headers;
  asked.push({ path, authorization });
  if (token !== undefined && authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
  const file = /^\/files\/(.+)$/.exec(path)?.[1];
  const document = documents.get(path.slice(1));
  if (file === undefined && document !== undefined) return void response.end(JSON.stringify(document));
  const content = file === undefined ? undefined : (lies.get(file) ?? archives.get(file));
  if (content === undefined) return void response.writeHead(404).end();
  if (content !== "endless") return void response.end(content);
  pourEndlessly(response);
}
