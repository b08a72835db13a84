// SPDX-License-Identifier: Apache-2.0

/** One served request, without anything secret: no header and no free text of the client but its name. */
export interface AccessEntry {
  /** RFC 3339. */
  readonly time: string;
  readonly remote: string;
  /** Absent when nobody had to say who they are. */
  readonly user?: string;
  readonly method: string;
  /** Path, and those query parameters that are known to hold no secret. */
  readonly target: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** At most 200 characters. */
  readonly userAgent?: string;
}

const SHOWN_PARAMETERS = new Set([
  "artifactType",
  "digest",
  "digest-algorithm",
  "from",
  "last",
  "mount",
  "n",
  "tag",
]);

/** The path with ids of uploads and unknown parameters blanked: who knows an id may write to that upload. */
export function redactTarget(path: string, query: URLSearchParams): string {
  const shown = [...query].map(([name, value]) =>
    SHOWN_PARAMETERS.has(name) ? `${name}=${encodeURIComponent(value)}` : `${encodeURIComponent(name)}=-`,
  );
  const safePath = path.replace(/(\/blobs\/uploads\/).+$/, "$1-").slice(0, 1000);
  return shown.length === 0 ? safePath : `${safePath}?${shown.join("&").slice(0, 1000)}`;
}
