// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { ToolingError } from "../core/error.ts";
import { createHttpDispatcher, type ProxySettings } from "../core/http-dispatcher.ts";
import type { HttpDispatcher } from "../core/http-message.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxies that the environment names, lower case before upper case as curl reads them. */
export function proxySettings(env: Environment): ProxySettings {
  const pick = (...names: readonly string[]): string | undefined =>
    names.map((name) => env[name]).find((value) => value !== undefined && value !== "");
  return {
    // HTTP_PROXY in capitals may come from a request header under CGI; there it is not to be trusted.
    httpProxy: pick(
      "http_proxy",
      ...(env["REQUEST_METHOD"] === undefined ? ["HTTP_PROXY"] : []),
      "all_proxy",
      "ALL_PROXY",
    ),
    httpsProxy: pick("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
    noProxy: pick("no_proxy", "NO_PROXY"),
  };
}

/**
 * Certificates that this machine's owner trusts besides those of Node.js, PEM: `SSL_CERT_FILE` and `NODE_EXTRA_CA_CERTS`.
 *
 * @throws {ToolingError} `FILE_UNREADABLE`
 */
export async function readTrustedCertificates(env: Environment): Promise<readonly string[]> {
  const files = new Set(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"].map((name) => env[name] ?? ""));
  files.delete("");
  return await Promise.all(
    [...files].map(async (file) => {
      try {
        return await readFile(file, "utf8");
      } catch (error) {
        throw new ToolingError("FILE_UNREADABLE", `certificate file "${file}" cannot be read`, {
          hint: "Correct SSL_CERT_FILE or NODE_EXTRA_CA_CERTS.",
          cause: error,
        });
      }
    }),
  );
}

/** The connections of all HTTP of one run, with the proxies and certificates of this machine. */
export async function openDispatcher(env: Environment): Promise<HttpDispatcher> {
  return createHttpDispatcher({ proxy: proxySettings(env), ca: async () => readTrustedCertificates(env) });
}
