// SPDX-License-Identifier: Apache-2.0
import { type ErrorCode, ToolingError } from "../core/error.ts";

interface FailureRule {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly message: (what: string, match: RegExpExecArray, toolchain: string) => string;
  readonly hint: string;
}

const RULES: readonly FailureRule[] = [
  {
    pattern: /requires go >= (\S+?)(?:[\s;)]|$)/,
    code: "TOOLCHAIN_UNAVAILABLE",
    message: (what, match, toolchain) =>
      `"${what}" needs Go ${match[1]}, newer than the chosen "${toolchain}"`,
    hint: "Choose an older version of this tool, or name a newer pinned toolchain in its definition.",
  },
  {
    pattern: /verifying (?:module|go\.mod)[\s\S]*(?:404 Not Found|410 Gone)/,
    code: "VERSION_NOT_FOUND",
    message: (what) => `"${what}" has no record in Go's checksum database`,
    hint: 'Choose another version; or trust the Go proxy alone: with GONOSUMDB=MODULE set, lock it, and the lock says "unconfirmed".',
  },
  {
    pattern:
      /SECURITY ERROR|checksum mismatch|missing go\.sum entry|invalid checksum|verifying (?:module|go\.mod)/,
    code: "CHECKSUM_MISMATCH",
    message: (what) => `"${what}" is not what Go's checksum database or the module's go.sum says`,
    hint: "Find out why before you go on. For private modules set GOPRIVATE, for a private database mirrors.goSum.",
  },
  {
    pattern: /module declares its path as: (\S+)/,
    code: "VERSION_NOT_FOUND",
    message: (what, match) => `"${what}" calls itself "${match[1]}"`,
    hint: "The project has moved: write the module's own path into the definition, or choose an older version.",
  },
  {
    pattern: /(?:404|410)\b|unknown revision|invalid version|no matching versions|malformed module path/i,
    code: "VERSION_NOT_FOUND",
    message: (what) => `"${what}" is not known to the Go proxy`,
    hint: "Check the version; an exact one (such as 1.2.3) works even where the proxy lists none.",
  },
  {
    pattern: /403 Forbidden|not available/,
    code: "VERSION_NOT_FOUND",
    message: (what) => `"${what}" is not offered by the Go proxy`,
    hint: "Choose another version by its exact number, or another Go proxy in mirrors.go.",
  },
  {
    pattern: /no space left on device|disk quota exceeded/,
    code: "DISK_FULL",
    message: (what) => `no space left to fetch or compile "${what}"`,
    hint: "Free disk space (or move the cache to a larger disk), then run the same command again.",
  },
  {
    pattern:
      /module lookup disabled|dial tcp|no such host|connection refused|i\/o timeout|TLS handshake|x509:|proxyconnect/,
    code: "NETWORK_UNREACHABLE",
    message: (what) => `Go proxy cannot be reached for "${what}"`,
    hint: "Check the network, the proxy settings and GOPROXY, then run the same command again.",
  },
];

/** What a go command that fetches says, as an error of ours. */
export function describeGoFailure(what: string, output: string, toolchain: string): ToolingError {
  return (
    foreseenFailure(what, output, toolchain) ??
    otherFailure("DOWNLOAD_FAILED", `"${what}" cannot be fetched`, output)
  );
}

/** What a go command that compiles says, as an error of ours. */
export function describeCompileFailure(what: string, output: string, toolchain: string): ToolingError {
  return (
    foreseenFailure(what, output, toolchain) ??
    otherFailure("BUILD_FAILED", `"${what}" does not compile`, output)
  );
}

function foreseenFailure(what: string, output: string, toolchain: string): ToolingError | undefined {
  for (const { pattern, code, message, hint } of RULES) {
    const match = pattern.exec(output);
    if (match !== null)
      return new ToolingError(code, message(what, match, toolchain), { hint, cause: causeOf(output) });
  }
  return undefined;
}

function otherFailure(code: ErrorCode, message: string, output: string): ToolingError {
  const lines = usefulLines(output);
  const said = lines.slice(-1)[0];
  return new ToolingError(code, said === undefined ? message : `${message}: ${said}`, {
    hint: "Read the lines above it with --debug; another version of the tool or of the toolchain may work.",
    cause: causeOf(output),
  });
}

function causeOf(output: string): Error {
  return new Error(redact(usefulLines(output).slice(-20).join("\n")));
}

function usefulLines(output: string): readonly string[] {
  return output
    .split("\n")
    .map((line) => redact(line.trim()))
    .filter((line) => line !== "" && !line.startsWith("go: downloading") && !line.startsWith("#"));
}

/** Proxies may carry credentials in their address. */
function redact(text: string): string {
  return text.replace(/:\/\/[^/@\s]+@/g, "://");
}
