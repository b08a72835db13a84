// SPDX-License-Identifier: Apache-2.0

/** The error codes of distribution-spec v1.1.1 ("Error Codes"), and `UNKNOWN` for faults of the server itself. */
export type FaultCode =
  | "BLOB_UNKNOWN"
  | "BLOB_UPLOAD_INVALID"
  | "BLOB_UPLOAD_UNKNOWN"
  | "DENIED"
  | "DIGEST_INVALID"
  | "MANIFEST_BLOB_UNKNOWN"
  | "MANIFEST_INVALID"
  | "MANIFEST_UNKNOWN"
  | "NAME_INVALID"
  | "NAME_UNKNOWN"
  | "SIZE_INVALID"
  | "TOOMANYREQUESTS"
  | "UNAUTHORIZED"
  | "UNKNOWN"
  | "UNSUPPORTED";

/** Optional parts of a {@link RegistryFault}. */
export interface RegistryFaultOptions {
  /** Machine-readable additions to the error body. */
  readonly detail?: unknown;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ends a request with an error answer. Its message is sent to the client, so it never holds a path or a secret. */
export class RegistryFault extends Error {
  override readonly name = "RegistryFault";
  readonly status: number;
  readonly code: FaultCode;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: FaultCode, message: string, options: RegistryFaultOptions = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}

/** The body of an error answer (distribution-spec v1.1.1, "Error Codes"). */
export function formatFault({ code, message, detail }: RegistryFault): string {
  return JSON.stringify({ errors: [{ code, message, ...(detail !== undefined && { detail }) }] });
}
