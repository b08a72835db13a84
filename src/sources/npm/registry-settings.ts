// SPDX-License-Identifier: Apache-2.0
import type { NpmSettings } from "../mirrors.ts";

/** The registries that a package is looked for in, in order: its scope's own one, else those of all packages. */
export function registriesOf(
  name: string,
  common: readonly string[],
  settings: NpmSettings,
): readonly string[] {
  const scope = /^@[^/]+(?=\/)/.exec(name)?.[0];
  const own = scope === undefined ? undefined : settings[`${scope}:registry`];
  return own === undefined || !/^https?:\/\//.test(own) ? common : [own.replace(/\/+$/, "")];
}

/**
 * The `Authorization` header for an address, by what npm's settings say of its host and the folders above it. Absent:
 * nothing is said, and no credentials of another host are ever sent.
 */
export function authorizationFor(address: string, settings: NpmSettings): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { host, pathname } = new URL(address);
  const parts = pathname.split("/");
  for (let count = parts.length; count > 0; count -= 1) {
    const place = `//${host}${parts.slice(0, count).join("/")}`.replace(/\/*$/, "/");
    const found = authorizationAt(place, settings);
    if (found !== undefined) return found;
  }
  return undefined;
}

function authorizationAt(place: string, settings: NpmSettings): string | undefined {
  const valueOf = (key: string): string | undefined => {
    // npm itself writes the slash, people leave it out.
    const value = settings[`${place}:${key}`] ?? settings[`${place.replace(/\/$/, "")}:${key}`];
    return value === "" ? undefined : value;
  };
  const token = valueOf("_authToken");
  if (token !== undefined) return `Bearer ${token}`;
  const pair = valueOf("_auth");
  if (pair !== undefined) return `Basic ${pair}`;
  const [user, password] = [valueOf("username"), valueOf("_password")];
  if (user === undefined || password === undefined) return undefined;
  // npm keeps a password in base64, which hides it from nobody.
  const plain = Buffer.from(password, "base64").toString("utf8");
  return `Basic ${Buffer.from(`${user}:${plain}`).toString("base64")}`;
}
