// SPDX-License-Identifier: Apache-2.0
import type { HostFiles } from "./credential-host.ts";
import type { SessionFile } from "./session.ts";

/** Where the merged certificates stand inside. */
const TARGET = "/etc/toolbox/ca-bundle.crt";

/** Variables by which people tell their tools of a company's certificates. */
const HOST_NAMES = [
  "AWS_CA_BUNDLE",
  "CURL_CA_BUNDLE",
  "GIT_SSL_CAINFO",
  "NODE_EXTRA_CA_CERTS",
  "REQUESTS_CA_BUNDLE",
  "SSL_CERT_FILE",
] as const;

/** Each tool reads a variable of its own, and most forget their own roots for what it names. */
const TOOL_NAMES = [
  ...HOST_NAMES,
  "CARGO_HTTP_CAINFO",
  "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE",
  "DENO_CERT",
  "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
  "HTTPLIB2_CA_CERTS",
  "NIX_SSL_CERT_FILE",
  "PIP_CERT",
] as const;

/** Where distributions keep the roots that a host trusts. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

/** What {@link planCertificates} looks at. */
export interface CertificateHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: HostFiles;
  /** The public roots, PEM, for a host without a bundle of its own. */
  readonly publicRoots: () => Promise<string>;
}

/** What a host's own certificates add to a session. */
export interface CertificatePlan {
  /** Absent: the host has none of its own, and the image's are used. */
  readonly file?: SessionFile | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** One sentence each, fit for people. */
  readonly warnings: readonly string[];
}

/**
 * The certificates that the host's variables name, merged with the roots that the host trusts, as one read-only file and
 * the variables of the tools that must find it. Takes certificates only: a file's private key stays where it is.
 */
export async function planCertificates(host: CertificateHost): Promise<CertificatePlan> {
  const paths = new Set(HOST_NAMES.map((name) => host.env[name] ?? "").filter((path) => path !== ""));
  const warnings: string[] = [];
  const own: string[] = [];
  for (const path of paths) {
    const text = await host.files.readText(path);
    const found = text === undefined ? [] : certificatesIn(text);
    own.push(...found);
    if (found.length > 0) continue;
    const why = text === undefined ? "cannot be read" : "holds no PEM certificate";
    warnings.push(`certificate file "${path}" ${why}, so commands inside do not trust it`);
  }
  if (own.length === 0) return { env: {}, warnings };
  const certificates = new Set([...(await systemCertificates(host)), ...own]);
  return {
    file: { target: TARGET, content: `${[...certificates].join("\n")}\n` },
    env: Object.fromEntries(TOOL_NAMES.map((name) => [name, TARGET])),
    warnings,
  };
}

async function systemCertificates({ files, publicRoots }: CertificateHost): Promise<string[]> {
  for (const path of SYSTEM_BUNDLES) {
    const found = certificatesIn((await files.readText(path)) ?? "");
    if (found.length > 0) return found;
  }
  return certificatesIn(await publicRoots());
}

function certificatesIn(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => block.replaceAll("\r", ""));
}
