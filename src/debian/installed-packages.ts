// SPDX-License-Identifier: Apache-2.0
import { parseControl } from "./control-file.ts";
import type { InstalledPackage } from "./package-index.ts";

/**
 * The packages that a dpkg database (`/var/lib/dpkg/status`) holds for one architecture. Those that are only
 * configured to go, or whose configuration files alone are left, are not there.
 *
 * @throws {ToolingError} `DEBIAN_INDEX_INVALID`
 */
export function parseInstalledPackages(status: string, architecture: string): readonly InstalledPackage[] {
  return parseControl(status).flatMap((fields): readonly InstalledPackage[] => {
    const { Package: name, Version: version, Architecture: own = "" } = fields;
    if (name === undefined || version === undefined) return [];
    if (own !== architecture && own !== "all") return [];
    if (!(fields["Status"] ?? "").endsWith(" installed")) return [];
    const conflicts = [fields["Conflicts"], fields["Breaks"]].filter((field) => field !== undefined);
    const provides = fields["Provides"] ?? "";
    return [{ name, version, architecture: own, provides, conflicts: conflicts.join(", ") }];
  });
}
