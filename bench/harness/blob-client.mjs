// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** A plain HTTP client that pushes and pulls single blobs, the same before every registry. */
import { createHash } from "node:crypto";
import { request as sendRequest } from "node:http";

/** @param {Uint8Array} bytes */
export function digestOf(bytes) {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** @param {string} host @param {Uint8Array} content @param {string} digest @param {string} [repository] */
export async function pushBlob(host, content, digest, repository = "bench/blob") {
  const started = await ask(host, "POST", `/v2/${repository}/blobs/uploads/`);
  const { pathname, search } = new URL(started.location, `http://${host}`);
  const query = `${search === "" ? "?" : `${search}&`}digest=${digest}`;
  const { status } = await ask(host, "PUT", pathname + query, content);
  if (status !== 201) throw new Error(`the push ended with ${status}`);
}

/** @param {string} host @param {string} digest @param {string} [repository] */
export async function pullBlob(host, digest, repository = "bench/blob") {
  const { status } = await ask(host, "GET", `/v2/${repository}/blobs/${digest}`);
  if (status !== 200) throw new Error(`the pull ended with ${status}`);
}

/**
 * @param {string} host @param {string} method @param {string} path @param {Uint8Array} [body]
 * @returns {Promise<{ status: number, location: string }>}
 */
async function ask(host, method, path, body) {
  const [hostname, port] = host.split(":");
  const headers =
    body === undefined
      ? {}
      : { "content-type": "application/octet-stream", "content-length": body.byteLength };
  return new Promise((resolve, reject) => {
    const request = sendRequest({ hostname, port, method, path, headers }, (answer) => {
      answer.resume();
      answer.once("end", () =>
        resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? "" }),
      );
      answer.once("error", reject);
    });
    request.once("error", reject).end(body);
  });
}
