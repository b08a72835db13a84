// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { listArchiveAddresses, parseAptSources } from "./apt-sources.ts";

const stanzas = `# written by an installer
Types: deb deb-src
# a comment inside
URIs: http://mirror.test/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://off.test/debian
Suites: trixie
Components: main
Enabled: no

Types: deb
URIs: https://other.test/apt
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 xyz
 -----END PGP PUBLIC KEY BLOCK-----

this is no stanza
`;

const lines = `# deb http://no.test/debian trixie main
deb [arch=amd64 signed-by=/etc/keys/a.gpg] https://a.test/debian/ trixie main non-free # why
deb-src http://a.test/debian trixie main
deb http://s.test/debian-security trixie-security main
deb https://pkgs.test/tool stable tool
deb broken
`;

describe("parseAptSources", () => {
  test("reads deb822 stanzas, without those that are switched off or malformed", () => {
    const sources = parseAptSources("debian.sources", stanzas);
    expect(sources).toHaveLength(3);
    expect(sources[0]).toEqual({
      types: ["deb", "deb-src"],
      uris: ["http://mirror.test/debian"],
      suites: ["bookworm", "bookworm-updates"],
      components: ["main", "contrib"],
      signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg",
    });
    expect(sources[2]).not.toHaveProperty("signedBy");
  });

  test("reads one-line entries with options and comments", () => {
    const sources = parseAptSources("sources.list", lines);
    expect(sources.map(({ uris }) => uris[0])).toEqual([
      "https://a.test/debian",
      "http://a.test/debian",
      "http://s.test/debian-security",
      "https://pkgs.test/tool",
    ]);
    expect(sources[0]).toMatchObject({ components: ["main", "non-free"], signedBy: "/etc/keys/a.gpg" });
  });
});

describe("listArchiveAddresses", () => {
  test("gives the archive before its security archive, and leaves other people's archives out", () => {
    expect(listArchiveAddresses(parseAptSources("x.sources", stanzas))).toEqual([
      "http://mirror.test/debian",
      "http://mirror.test/debian-security",
    ]);
    expect(listArchiveAddresses(parseAptSources("x.list", lines))).toEqual([
      "https://a.test/debian",
      "http://s.test/debian-security",
    ]);
  });

  test("gives nothing where no web mirror of Debian is named", () => {
    const text = "deb cdrom:[disc]/ trixie main\ndeb http://x.test/ubuntu noble main\n";
    expect(listArchiveAddresses(parseAptSources("x.list", text))).toEqual([]);
  });
});
