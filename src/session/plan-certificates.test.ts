// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { type CertificatePlan, planCertificates } from "./plan-certificates.ts";

const SYSTEM = "/etc/ssl/certs/ca-certificates.crt";

test("a host without certificates of its own leaves the image's alone", async () => {
  expect(await plan({}, { [SYSTEM]: pem("ROOT") })).toEqual({ env: {}, warnings: [] });
});

test.each(["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"])(
  "what %s names is added to the host's roots, for every tool",
  async (name) => {
    const { file, env } = await plan(
      { [name]: "/corp.pem" },
      { [SYSTEM]: pem("ROOT"), "/corp.pem": pem("CORP") },
    );
    expect(file?.content).toBe(`${pem("ROOT")}\n${pem("CORP")}\n`);
    for (const tool of ["AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"])
      expect(env[tool]).toBe(file?.target);
    for (const tool of ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT"])
      expect(env[tool]).toBe(file?.target);
  },
);

test("a certificate that is in several files stands once, whatever its line ends", async () => {
  const files = {
    [SYSTEM]: pem("CORP"),
    "/a": pem("CORP").replaceAll("\n", "\r\n"),
    "/b": `x\n${pem("CORP")}`,
  };
  const { file } = await plan({ SSL_CERT_FILE: "/a", CURL_CA_BUNDLE: "/b" }, files);
  expect(file?.content).toBe(`${pem("CORP")}\n`);
});

test("a private key beside the certificate is never carried", async () => {
  const key = "-----BEGIN PRIVATE KEY-----\nS3CRET\n-----END PRIVATE KEY-----";
  const { file } = await plan(
    { SSL_CERT_FILE: "/a" },
    { [SYSTEM]: pem("ROOT"), "/a": `${key}\n${pem("CORP")}` },
  );
  expect(file?.content).toContain("CORP");
  expect(file?.content).not.toContain("S3CRET");
});

test("a host without a bundle takes the public roots", async () => {
  const { file } = await plan({ SSL_CERT_FILE: "/corp.pem" }, { "/corp.pem": pem("CORP") });
  expect(file?.content).toBe(`${pem("PUBLIC")}\n${pem("CORP")}\n`);
});

test.each([
  [{}, "cannot be read"],
  [{ "/corp.pem": "nonsense" }, "holds no PEM certificate"],
])("a file that is of no use is told of, and nothing is replaced", async (files, why) => {
  const { warnings, ...rest } = await plan({ SSL_CERT_FILE: "/corp.pem" }, files);
  expect(warnings).toEqual([expect.stringContaining(why)]);
  expect(rest).toEqual({ env: {} });
});

function pem(body: string): string {
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;
}

async function plan(env: Record<string, string>, texts: Record<string, string>): Promise<CertificatePlan> {
  return await planCertificates({
    env,
    files: { kindOf: async () => "file", list: async () => [], readText: async (path) => texts[path] },
    publicRoots: async () => pem("PUBLIC"),
  });
}
