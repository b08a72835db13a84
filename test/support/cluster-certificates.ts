// SPDX-License-Identifier: Apache-2.0
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "./programs.ts";

/** Files of a cluster's certificates, all PEM. Keys are readable by their owner only. */
export interface ClusterCertificates {
  /** Signs the others; kubeconfig's certificate-authority. */
  readonly authority: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  /** Of the user "ada", who may do everything. */
  readonly clientCertificate: string;
  readonly clientKey: string;
  /** Signs the cluster's own tokens. */
  readonly accountKey: string;
}

/** Makes the certificates of a cluster that listens on 127.0.0.1, valid for two days. */
export async function makeClusterCertificates(folder: string): Promise<ClusterCertificates> {
  const place = (name: string): string => join(folder, name);
  const authority = { certificate: place("ca.crt"), key: place("ca.key") };
  const extensions = place("extensions.cnf");
  await writeFile(
    extensions,
    [
      "[req]",
      "distinguished_name = name",
      "[name]",
      "[authority]",
      "basicConstraints = critical, CA:TRUE",
      "keyUsage = critical, keyCertSign",
      "[server]",
      "subjectAltName = IP:127.0.0.1, DNS:localhost",
      "extendedKeyUsage = serverAuth",
      "[client]",
      "extendedKeyUsage = clientAuth",
      "",
    ].join("\n"),
  );
  const make = async (section: string, subject: string, names: [string, string], signed: string[]) => {
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const about = ["-config", extensions, "-extensions", section, "-subj", subject];
    const [certificate, key] = [place(names[0]), place(names[1])];
    await outputOf("openssl", [
      "req",
      "-x509",
      ...kind,
      ...about,
      ...signed,
      "-out",
      certificate,
      "-keyout",
      key,
    ]);
  };
  const signed = ["-CA", authority.certificate, "-CAkey", authority.key];
  await make("authority", "/CN=toolbox-test", ["ca.crt", "ca.key"], []);
  await make("server", "/CN=kube-apiserver", ["server.crt", "server.key"], signed);
  await make("client", "/O=system:masters/CN=ada", ["client.crt", "client.key"], signed);
  await outputOf("openssl", ["genrsa", "-out", place("accounts.key"), "2048"]);
  return {
    authority: authority.certificate,
    serverCertificate: place("server.crt"),
    serverKey: place("server.key"),
    clientCertificate: place("client.crt"),
    clientKey: place("client.key"),
    accountKey: place("accounts.key"),
  };
}
