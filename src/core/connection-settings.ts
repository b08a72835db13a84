// SPDX-License-Identifier: Apache-2.0

/** What all connections of a dispatcher have in common. */
export interface ConnectionSettings {
  /** Certificates, PEM, that are trusted besides those that Node.js brings. Asked once. */
  readonly readTrusted: () => Promise<readonly string[]>;
  /** Milliseconds until a connection must stand. */
  readonly connectTimeout: number;
}

/** The `ca` option of TLS connections. Absent: Node.js trusts what it always does. */
export async function trustedRoots({ readTrusted }: ConnectionSettings): Promise<{ ca?: string[] }> {
  const extra = await readTrusted();
  if (extra.length === 0) return {};
  const { rootCertificates } = await import("node:tls");
  return { ca: [...rootCertificates, ...extra] };
}
