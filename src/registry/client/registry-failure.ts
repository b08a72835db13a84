// SPDX-License-Identifier: Apache-2.0
import { collectBytes } from "../../core/byte-stream.ts";
import { isSystemError, ToolingError } from "../../core/error.ts";
import type { HttpResponse } from "./http-exchange.ts";
import { redactUrl } from "./redact.ts";

/** Bytes of an error body that are read. */
const LONGEST_BODY = 64 * 1024;

/** An answer that ends an operation, made readable. Consumes the body. */
export async function describeRefusal(
  response: HttpResponse,
  method: string,
  { isLoggedIn }: { readonly isLoggedIn: boolean },
): Promise<ToolingError> {
  const { status, url } = response;
  const said = await readDiagnosis(response);
  const message = `"${method} ${redactUrl(url)}" was answered ${status}${said === "" ? "" : `: ${said}`}`;
  if (status === 401) {
    if (isLoggedIn) {
      return new ToolingError("AUTH_DENIED", message, { hint: `Log in to "${url.host}" again.` });
    }
    return new ToolingError("AUTH_REQUIRED", message, {
      hint: `Log in first: docker login ${url.host}. Some registries answer like this for a name that does not exist.`,
    });
  }
  if (status === 403) {
    return new ToolingError("AUTH_DENIED", message, {
      hint: "Ask for access to that repository, or check its name.",
    });
  }
  if (status === 404)
    return new ToolingError("IMAGE_NOT_FOUND", message, { hint: "Check name, tag and digest." });
  if (status === 429) {
    return new ToolingError("REGISTRY_RATE_LIMITED", message, {
      hint: "Wait a few minutes, or log in to have a higher limit.",
    });
  }
  const hint = status >= 500 ? "Run the same command again later." : "Ask whoever runs that registry.";
  return new ToolingError("REGISTRY_FAILED", message, { hint });
}

/** The message of the first error (distribution-spec v1.1.1, "Error Codes"). Empty when the body is something else. */
async function readDiagnosis({ body }: HttpResponse): Promise<string> {
  try {
    const bytes = await collectBytes(body as AsyncIterable<Uint8Array>, { limit: LONGEST_BODY });
    const { errors } = JSON.parse(new TextDecoder().decode(bytes)) as { errors?: unknown };
    const [first] = Array.isArray(errors) ? (errors as { code?: unknown; message?: unknown }[]) : [];
    const parts = [first?.code, first?.message].filter((part) => typeof part === "string" && part !== "");
    // What a stranger wrote is shown on one line and cannot move the cursor.
    return parts
      .join(" ")
      .replaceAll(/[\p{C}\s]+/gu, " ")
      .slice(0, 300);
  } catch {
    return "";
  }
}

/** Turns a failure of the network into a {@link ToolingError}; passes everything else through. */
export function describeConnectionFailure(error: unknown, url: URL): unknown {
  if (error instanceof ToolingError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  if (code === undefined) return error;
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return new ToolingError("REGISTRY_UNREACHABLE", `"${url.host}" cannot be trusted over TLS (${code})`, {
      hint: "Trust its certificate authority, or allow plain HTTP if it has no TLS at all.",
      cause: error,
    });
  }
  return new ToolingError("REGISTRY_UNREACHABLE", `"${url.host}" cannot be reached (${code})`, {
    hint: "Check the address, the network and the proxy, then run the same command again.",
    cause: error,
  });
}

function codeOf(error: Error): string | undefined {
  if (isSystemError(error)) return error.code;
  if (error instanceof AggregateError) {
    return error.errors
      .map((inner) => (inner instanceof Error ? codeOf(inner) : undefined))
      .find((code) => code !== undefined);
  }
  return error.cause instanceof Error ? codeOf(error.cause) : undefined;
}
