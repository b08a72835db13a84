// SPDX-License-Identifier: Apache-2.0

/**
 * What nobody needs in an image of command-line tools, in the words of dpkg's path-exclude, where a `!` keeps:
 * documentation in any form, translations, and what only a linker or a packager reads. Copyright files stay, as
 * licences ask.
 */
export const UNNEEDED_PATHS: readonly string[] = [
  "/usr/share/doc/*",
  "!/usr/share/doc/*/copyright",
  "/usr/share/man/*",
  "/usr/share/info/*",
  "/usr/share/help/*",
  "/usr/share/gtk-doc/*",
  "/usr/share/doc-base/*",
  "/usr/share/vim/vim*/doc/*",
  "/usr/share/locale/*",
  "!/usr/share/locale/locale.alias",
  "/usr/share/lintian/*",
  "/usr/share/linda/*",
  "/usr/share/bug/*",
  "/usr/share/texmf/doc/*",
  "/usr/share/texlive/texmf-dist/doc/*",
  "/usr/share/texlive/texmf-dist/source/*",
  "/usr/lib/*.a",
  "/usr/lib/*.la",
];

/**
 * The part of the rule that a later `apt-get install` in the image shall keep to, as a file for
 * `/etc/dpkg/dpkg.cfg.d`. Libraries for linkers are not in it: who installs a compiler there needs them.
 */
export function formatDpkgExcludes(): string {
  const shared = UNNEEDED_PATHS.filter((pattern) => !pattern.startsWith("/usr/lib/"));
  const lines = shared.map((pattern) =>
    pattern.startsWith("!") ? `path-include ${pattern.slice(1)}` : `path-exclude ${pattern}`,
  );
  return `# What the image itself leaves out.\n${lines.map((line) => `${line}\n`).join("")}`;
}
