// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CleartextMessage, createCleartextMessage, generateKey, readPrivateKey, sign } from "openpgp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Keyring, openKeyring, verifyInRelease } from "./signed-release.ts";

const suite = "trixie";
const now = new Date();
const text = "Origin: Test\nSuite: trixie\n";

let folder: string;
let keyring: Keyring;
let signed: string;
let signedByOther: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyring-"));
  const ours = await makeKey();
  const other = await makeKey();
  await writeFile(join(folder, "ours.asc"), ours.publicKey);
  keyring = await openKeyring({ path: join(folder, "ours.asc") });
  signed = await signText(text, ours.privateKey);
  signedByOther = await signText(text, other.privateKey);
});
afterAll(async () => rm(folder, { recursive: true }));

describe("verifyInRelease", () => {
  test("gives the signed text, and nothing that stands around it", async () => {
    const around = `Injected: yes\n${signed}\nInjected: too\n`;
    expect(await verifyInRelease(signed, keyring, { now, suite })).toBe(text.trimEnd());
    await expect(verifyInRelease(around, keyring, { now, suite })).resolves.not.toContain("Injected");
  });

  test("refuses one changed byte", async () => {
    await expectRefused(signed.replace("trixie", "Trixie"), "a signature does not hold");
  });

  test("refuses another's signature", async () => {
    await expectRefused(signedByOther, "none of its signatures is by a key of");
  });

  test("refuses a signature made after now", async () => {
    const past = new Date(now.getTime() - 24 * 3600 * 1000);
    await expect(verifyInRelease(signed, keyring, { now: past, suite })).rejects.toMatchObject({
      code: "DEBIAN_SIGNATURE_INVALID",
    });
  });

  test.each([
    ["text without a signature", text],
    ["a web page", "<!DOCTYPE html><html>Sign in</html>"],
    ["nothing", ""],
  ])("refuses %s", async (_, content) => expectRefused(content, "not a signed text"));
});

describe("openKeyring", () => {
  test("takes the keys of this package where the machine has none", async () => {
    const { path, keys } = await openKeyring({ machinePath: join(folder, "none") });
    expect(path).toContain("of this package");
    expect(keys.map((key) => key.getKeyID().toHex())).toContain("762f67a0b2c39de4");
  });

  test("says which keyring cannot be read, or is none", async () => {
    await writeFile(join(folder, "broken.asc"), "no key");
    await expect(openKeyring({ path: join(folder, "none") })).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
    });
    await expect(openKeyring({ path: join(folder, "broken.asc") })).rejects.toMatchObject({
      code: "DEBIAN_SIGNATURE_INVALID",
    });
  });
});

async function expectRefused(content: string, why: string): Promise<void> {
  await expect(verifyInRelease(content, keyring, { now, suite })).rejects.toMatchObject({
    code: "DEBIAN_SIGNATURE_INVALID",
    message: expect.stringContaining(why),
  });
}

async function makeKey(): Promise<{ privateKey: string; publicKey: string }> {
  // Made a little before now, so that no clock of a second's grain puts it into the future.
  const date = new Date(now.getTime() - 60_000);
  return generateKey({ userIDs: [{ name: "test" }], date, format: "armored" });
}

async function signText(content: string, armoredKey: string): Promise<string> {
  const message: CleartextMessage = await createCleartextMessage({ text: content.trimEnd() });
  return sign({
    message,
    signingKeys: await readPrivateKey({ armoredKey }),
    date: new Date(now.getTime() - 30_000),
  });
}
