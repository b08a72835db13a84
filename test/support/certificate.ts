// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hasPrograms, makeFolder, outputOf } from "./programs.ts";

/** A certificate that nobody has signed, and its key, both PEM. */
export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
}

/** Whether {@link makeCertificate} can work here. */
export function canMakeCertificates(): boolean {
  return hasPrograms("openssl");
}

/** Makes a certificate for 127.0.0.1 that ends in two days. */
export async function makeCertificate(): Promise<SelfSigned> {
  const folder = await makeFolder("certificate");
  const [cert, key] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const about = ["-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
  try {
    await outputOf("openssl", ["req", "-x509", ...kind, "-keyout", key, "-out", cert, ...about]);
    return { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
  } finally {
    await folder.remove();
  }
}
