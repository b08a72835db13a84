// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { authorizationFor, registriesOf } from "./registry-settings.ts";

const SETTINGS = {
  "@corp:registry": "https://corp.example/npm/",
  "//corp.example/npm/:_authToken": "one",
  "//plain.example:8080/:_auth": "dTpw",
  "//named.example/:username": "u",
  "//named.example/:_password": Buffer.from("p").toString("base64"),
};

test("a package is looked for in the registry of its scope, and nowhere else", () => {
  expect(registriesOf("@corp/a", ["https://all.example"], SETTINGS)).toEqual(["https://corp.example/npm"]);
  expect(registriesOf("@other/a", ["https://all.example"], SETTINGS)).toEqual(["https://all.example"]);
  expect(registriesOf("a", ["https://all.example"], SETTINGS)).toEqual(["https://all.example"]);
});

test.each([
  ["https://corp.example/npm/@corp%2fa", "Bearer one"],
  ["https://corp.example/npm", "Bearer one"],
  ["https://corp.example/other/a", undefined],
  ["https://corp.example.evil.example/npm/a", undefined],
  ["http://plain.example:8080/a/b.tgz", "Basic dTpw"],
  ["http://plain.example/a", undefined],
  ["https://named.example/a", `Basic ${Buffer.from("u:p").toString("base64")}`],
  ["no address", undefined],
])("credentials for %s are those of its host and folder", (address, expected) => {
  expect(authorizationFor(address, SETTINGS)).toBe(expected);
});
