// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import type { Download } from "./download.ts";
import type { FileRequest } from "./fetch-file.ts";
import { describeAddress } from "./http-get.ts";
import { failureCodeOf } from "../core/temporary-failure.ts";
import { isCertificateCode } from "./retry.ts";

/** Whether `error` came from the network, and not from our own code or the file system. */
export function isNetworkError(error: unknown): boolean {
  const code = failureCodeOf(error);
  if (code === undefined) return false;
  const fromNetwork = /^(?:E(?:AI|CONN|PIPE|TIMEDOUT|HOST|NET|PROTO|NOTFOUND)|ENOTFOUND|UND_ERR|HPE_)/.test(
    code,
  );
  return fromNetwork || isCertificateCode(code);
}

/** A network error in our words. `started`: the body had begun to arrive. */
export function describeNetworkError(error: unknown, request: FileRequest, started: boolean): ToolingError {
  const code = failureCodeOf(error);
  if (started) return truncated(request, `the connection ended early (${code ?? "closed"})`, error);
  const place = describeAddress(request.url);
  if (isCertificateCode(code)) {
    return new ToolingError(
      "NETWORK_UNREACHABLE",
      `"${place}" has a certificate that is not trusted (${code})`,
      {
        hint: "Name your company's CA file in NODE_EXTRA_CA_CERTS, and check this machine's clock.",
        cause: error,
      },
    );
  }
  return new ToolingError("NETWORK_UNREACHABLE", `"${place}" cannot be reached (${code ?? "no answer"})`, {
    hint: "Check the network, the proxy settings and the mirror, then run the same command again.",
    cause: error,
  });
}

/** An HTTP status that is no success. */
export function describeStatus(status: number, request: FileRequest): ToolingError {
  const place = describeAddress(request.url);
  if (status === 404 || status === 410) {
    return new ToolingError("FILE_NOT_FOUND", `"${request.name}" is not at "${place}" (HTTP ${status})`, {
      hint: "It may have left the mirror: lock the tool again, or choose a mirror that keeps old files.",
    });
  }
  const hint =
    status === 401 || status === 403 || status === 407
      ? "Check the credentials of the mirror or proxy, and whether it allows this file."
      : "Try again later, or choose another mirror.";
  return new ToolingError("DOWNLOAD_FAILED", `"${place}" answers HTTP ${status}`, { hint });
}

/** The bytes stopped before the end. */
export function truncated(request: FileRequest, what: string, cause?: unknown): ToolingError {
  return new ToolingError("DOWNLOAD_TRUNCATED", `"${request.name}" is not complete: ${what}`, {
    hint: "Run the same command again: what arrived is kept and the download goes on from there.",
    cause,
  });
}

/** The server offers more bytes, or fewer, than were locked. */
export function otherSize(request: FileRequest, size: number): ToolingError {
  return new ToolingError(
    "SIZE_MISMATCH",
    `"${request.name}" has ${size} bytes where ${request.size} were locked`,
    {
      hint: "The file was changed at its origin; compare both versions before you lock it again.",
    },
  );
}

/** More bytes than are accepted at all. */
export function tooLarge(request: FileRequest, most: number): ToolingError {
  return new ToolingError("SIZE_MISMATCH", `"${request.name}" is larger than ${most} bytes`, {
    hint: "The server sends something else than the file that was asked for; check the mirror.",
  });
}

/** A web page came where a file was expected: a captive portal, a login, a company's block page. */
export function htmlInstead(request: FileRequest): ToolingError {
  return new ToolingError(
    "DOWNLOAD_FAILED",
    `"${describeAddress(request.url)}" answers with a web page instead of "${request.name}"`,
    { hint: "Sign in to the network (captive portal), or check the proxy and the mirror." },
  );
}

/** The bytes are complete and are not the ones that were locked. */
export function otherDigest(request: FileRequest, { sha256, integrity }: Download): ToolingError {
  const what =
    request.sha256 === undefined
      ? `integrity "${integrity}" where "${request.integrity}" is expected`
      : `sha256 "${sha256}" where "${request.sha256}" is expected`;
  return new ToolingError("CHECKSUM_MISMATCH", `"${request.name}" has ${what}`, {
    hint: "The file was changed at its origin or on the way: find out why before you lock it again.",
  });
}
