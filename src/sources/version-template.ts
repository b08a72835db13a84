// SPDX-License-Identifier: Apache-2.0

/** What is known of a version besides its number. */
export interface VersionFacts {
  readonly commit?: string | undefined;
  /** RFC 3339. */
  readonly date?: string | undefined;
}

/** The values that templates of a definition may use. */
export function versionValues(
  version: string,
  { commit, date }: VersionFacts = {},
): Record<string, string | undefined> {
  const [major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1) ?? [];
  return { version, major, minor, patch, commit, shortCommit: commit?.slice(0, 7), date };
}

/** Fills `{{name}}` in. Absent: it uses a value that is not known. */
export function fillTemplate(
  template: string,
  values: Readonly<Record<string, string | undefined>>,
): string | undefined {
  let isKnown = true;
  const text = template.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) isKnown = false;
    return value ?? "";
  });
  return isKnown ? text : undefined;
}

/** Fills each one in; those that use a value that is not known are left out. */
export function fillTemplates(
  templates: readonly string[],
  values: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  return templates.map((template) => fillTemplate(template, values)).filter((text) => text !== undefined);
}
