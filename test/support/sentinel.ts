// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { createGunzip } from "node:zlib";
import { isSystemError } from "../../src/core/error.ts";

/** Secrets that exist nowhere else, put where people keep theirs. */
export interface PlantedSecrets {
  /** Variables of the host, most of them named as credentials are. */
  readonly env: Readonly<Record<string, string>>;
  /** The password of the registry's only user, {@link USER}. */
  readonly password: string;
  /** A secret of its own for each place. */
  readonly at: (place: string) => string;
  /** The places whose secrets stand in a text, also those that are told in base64. */
  readonly placesIn: (text: string) => string[];
  /** Writes what `docker login` would. */
  readonly login: (host: string, password: string) => Promise<void>;
}

/** Who logs in to the registry. */
export const USER = "ada";

/** Puts secrets into the files of a home folder, and names those of the environment. */
export async function plantSecrets(home: string): Promise<PlantedSecrets> {
  const core = `s3nt1nel${randomBytes(8).toString("hex")}`;
  const at = (place: string): string => `${core}.${place}.`;
  const password = at("password");
  for (const [path, text] of Object.entries(filesWith(at))) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text, { mode: 0o600 });
  }
  return { env: variablesWith(at), password, at, placesIn: finderOf(core), login: loginTo(home) };
}

function filesWith(at: PlantedSecrets["at"]): Record<string, string> {
  return {
    ".aws/credentials": `[default]\naws_secret_access_key = ${at("aws-file")}\n`,
    ".config/openstack/clouds.yaml": `clouds: { c: { auth: { password: ${at("clouds")} } } }\n`,
    ".kube/config": [
      "apiVersion: v1",
      "kind: Config",
      "current-context: c",
      "clusters: [{ name: c, cluster: { server: https://10.0.0.1 } }]",
      "contexts: [{ name: c, context: { cluster: c, user: u } }]",
      `users: [{ name: u, user: { token: ${at("kubeconfig")} } }]\n`,
    ].join("\n"),
    ".netrc": `machine example.com login ada password ${at("netrc")}\n`,
    ".ssh/id_ed25519": at("ssh-key"),
  };
}

function variablesWith(at: PlantedSecrets["at"]): Record<string, string> {
  const names = [
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "NAMED_TOKEN",
    "OS_PASSWORD",
    "PLAIN",
    "VAULT_TOKEN",
  ];
  return {
    ...Object.fromEntries(names.map((name) => [name, at(name)])),
    // Proxies go into every session, password and all; what is on this machine is reached without.
    HTTPS_PROXY: `http://ada:${at("proxy")}@127.0.0.1:9`,
    NO_PROXY: "127.0.0.1,localhost",
  };
}

function finderOf(core: string): PlantedSecrets["placesIn"] {
  const plain = new RegExp(String.raw`${core}\.([\w-]+)\.`, "g");
  // Base64 has three ways to tell a text, by where it starts in a group of three; the ends depend on neighbours.
  const coded = [0, 1, 2].map((start) =>
    Buffer.from(`${"-".repeat(start)}${core}`)
      .toString("base64")
      .slice(4, -4),
  );
  return (text) => {
    const found = [...text.matchAll(plain)].map(([, place = ""]) => place);
    if (coded.some((part) => text.includes(part))) found.push("base64");
    return [...new Set(found)].toSorted();
  };
}

function loginTo(home: string): PlantedSecrets["login"] {
  return async (host, password) => {
    await mkdir(join(home, ".docker"), { recursive: true });
    const auth = Buffer.from(`${USER}:${password}`).toString("base64");
    await writeFile(join(home, ".docker/config.json"), JSON.stringify({ auths: { [host]: { auth } } }), {
      mode: 0o600,
    });
  };
}

/** A file that holds a secret. */
export interface SecretFile {
  readonly path: string;
  readonly places: readonly string[];
  readonly mode: number;
}

/** The files and links at or below a path that hold a secret, also those that are compressed with gzip. */
export async function findSecretFiles(
  path: string,
  placesIn: PlantedSecrets["placesIn"],
): Promise<SecretFile[]> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isDirectory() === true) {
    const names = await readdir(path).catch(() => []);
    const found: SecretFile[] = [];
    for (const name of names) found.push(...(await findSecretFiles(join(path, name), placesIn)));
    return found;
  }
  const isLink = stats?.isSymbolicLink() === true;
  if (stats === undefined || (!isLink && !stats.isFile())) return [];
  const text = await (isLink ? readlink(path) : textOf(path)).catch(ignoreMissing);
  const places = placesIn(`${basename(path)}\n${text}`);
  return places.length === 0 ? [] : [{ path, places, mode: stats.mode & 0o777 }];
}

/** An engine that is at work removes files between our look at a folder and at what is in it. */
function ignoreMissing(error: unknown): string {
  if (isSystemError(error, "ENOENT")) return "";
  throw error;
}

async function textOf(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString("latin1");
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path).pipe(createGunzip())) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("latin1");
}

/** Looks at the arguments of every process of this machine, again and again, until it is told to stop. */
export function watchArguments(placesIn: PlantedSecrets["placesIn"]): { stop: () => Promise<string[]> } {
  const found = new Set<string>();
  const end = new AbortController();
  const watch = async (): Promise<void> => {
    while (!end.signal.aborted) {
      for (const name of await readdir("/proc")) {
        if (!/^\d+$/.test(name)) continue;
        const text = await readFile(`/proc/${name}/cmdline`, "latin1").catch(() => "");
        for (const place of placesIn(text))
          found.add(`${place}: ${text.replaceAll("\0", " ").slice(0, 500)}`);
      }
      await wait(5);
    }
  };
  const watching = watch();
  return {
    async stop() {
      end.abort();
      await watching;
      return [...found];
    },
  };
}
