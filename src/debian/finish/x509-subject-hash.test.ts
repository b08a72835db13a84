// SPDX-License-Identifier: Apache-2.0
import { X509Certificate } from "node:crypto";
import { rootCertificates } from "node:tls";
import { expect, test } from "vitest";
import { hashCertificateSubject } from "./x509-subject-hash.ts";

// As `openssl x509 -subject_hash` says, for subjects with different string types and spaces.
test.each([
  ["GlobalSign Root R46", "002c0b4f"],
  ["BJCA Global Root CA1", "0179095f"],
  ["Entrust Root Certification Authority - G2", "02265526"],
  ["QuoVadis Root CA 2 G3", "064e0aa9"],
])('"%s" is looked up as %s', (name, hash) => {
  const pem = rootCertificates.find((text) => new X509Certificate(text).subject.endsWith(`CN=${name}`));
  expect(hashCertificateSubject(pem ?? "")).toBe(hash);
});

test("gives eight digits for every root that Node.js knows", () => {
  for (const pem of rootCertificates) expect(hashCertificateSubject(pem)).toMatch(/^[0-9a-f]{8}$/u);
});

test("refuses what is no certificate", () => {
  expect(() => hashCertificateSubject("nothing")).toThrow();
});
