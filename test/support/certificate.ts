// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from "node:fs/promises";
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

/** A certificate authority of our own, and a certificate for 127.0.0.1 that it has signed; all PEM. */
export interface OwnAuthority extends SelfSigned {
  /** The authority's own certificate, which only those trust who are told to. */
  readonly ca: string;
}

/** Makes an authority and a certificate for 127.0.0.1, which end in two days. */
export async function makeAuthority(): Promise<OwnAuthority> {
  const folder = await makeFolder("authority");
  const file = (name: string): string => join(folder.path, name);
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const name = "subjectAltName=IP:127.0.0.1";
  try {
    const authority = ["-keyout", file("ca.key"), "-out", file("ca.pem"), "-subj", "/O=Corp/CN=Corp Root"];
    await outputOf("openssl", ["req", "-x509", ...kind, ...authority]);
    const signer = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2"];
    const request = ["-keyout", file("key.pem"), "-out", file("leaf.csr"), "-subj", "/CN=server"];
    await outputOf("openssl", ["req", ...kind.slice(0, -2), ...request]);
    await writeFile(file("leaf.ext"), `${name}\nbasicConstraints=CA:FALSE\n`);
    const signed = ["-in", file("leaf.csr"), "-out", file("cert.pem"), "-extfile", file("leaf.ext")];
    await outputOf("openssl", ["x509", "-req", ...signed, ...signer]);
    const [ca = "", cert = "", key = ""] = await Promise.all(
      ["ca.pem", "cert.pem", "key.pem"].map(async (each) => readFile(file(each), "utf8")),
    );
    return { ca, cert, key };
  } finally {
    await folder.remove();
  }
}
