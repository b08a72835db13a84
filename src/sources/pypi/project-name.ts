// SPDX-License-Identifier: Apache-2.0

/** The one spelling of a project's name: `Zope.Interface` and `zope_interface` are `zope-interface` (PEP 503). */
export function normalizeProject(name: string): string {
  return name.replaceAll(/[-_.]+/g, "-").toLowerCase();
}
