// SPDX-License-Identifier: Apache-2.0
// @ts-check
/** Runs on a host and prints what the host is like, as JSON: what really differs, not what was meant to. */
import { spawnSync } from "node:child_process";
import { homedir, availableParallelism, hostname } from "node:os";

const [listed = "."] = process.argv.slice(2);
// Node.js sorts what it lists; ls -U gives the order of the file system, which other programs of a build see.
const listing = spawnSync("ls", ["-U", listed], { encoding: "utf8" }).stdout.trim().split("\n");

console.log(
  JSON.stringify({
    node: process.version.slice(1),
    arch: process.arch,
    cpus: availableParallelism(),
    uid: process.getuid?.(),
    umask: process.umask().toString(8).padStart(3, "0"),
    locale: Intl.DateTimeFormat().resolvedOptions().locale,
    zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    home: homedir(),
    hostname: hostname(),
    folder: process.cwd(),
    listing: listing.slice(0, 3),
  }),
);
