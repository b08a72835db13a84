// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { createHash } from "node:crypto";

/** @typedef {import("./build-host.mjs").Built} Built */
/** @typedef {import("./build-host.mjs").Facts} Facts */

/**
 * What came of one host.
 * @typedef {object} HostResult
 * @property {string} name
 * @property {Facts} [facts] absent: it was not run
 * @property {readonly Built[]} built
 * @property {string} [reason] why it was not run, or not to its end
 * @property {boolean} [failed]
 * @property {readonly string[]} [notes] what differs from the first host and cannot be seen on it
 */

/**
 * What differs from the first host, in words.
 * @param {Facts} first
 * @param {Facts} facts
 * @returns {string}
 */
function describeDifferences(first, facts) {
  const { arch, cpus, uid, umask, locale, zone, listing } = facts;
  const backwards = listing.join() !== first.listing.join();
  const words = [
    arch === first.arch ? "" : `${arch}, emulated`,
    cpus === first.cpus ? "" : `${cpus} CPU`,
    uid === first.uid ? "" : `uid ${uid}`,
    facts.home === first.home ? "" : "another home",
    facts.hostname === first.hostname ? "" : "another host name",
    umask === first.umask ? "" : `umask ${umask}`,
    locale === first.locale ? "" : locale,
    zone === first.zone ? "" : zone,
    backwards ? "files listed in another order" : "",
  ];
  return ["another folder", ...words.filter((word) => word !== "")].join(", ");
}

/**
 * One short digest for all images of a workspace, so that a table stays a table.
 * @param {Built | undefined} built
 */
function shortDigest(built) {
  const entries = Object.entries(built?.digests ?? {});
  if (built === undefined || entries.length === 0) return "-";
  const [only] = entries;
  if (entries.length === 1 && only !== undefined) return only[1].slice(7, 19);
  const lines = entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map((entry) => `${entry.join(" ")}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex").slice(0, 12);
}

/**
 * The images in which a host differs from the first.
 *
 * @param {readonly Built[]} first
 * @param {readonly Built[]} built
 * @returns {{ image: string, from: string, to: string }[]}
 */
export function findDifferences(first, built) {
  return built.flatMap(({ workspace, digests }) => {
    const expected = first.find((each) => each.workspace === workspace)?.digests ?? {};
    return Object.entries(digests).flatMap(([image, to]) => {
      const from = expected[image] ?? "";
      return from === to ? [] : [{ image, from, to }];
    });
  });
}

/**
 * Rows for a table: a line for each host, a column for each workspace.
 *
 * @param {readonly HostResult[]} results
 * @param {readonly string[]} workspaces
 * @param {{ seconds: boolean }} options seconds: tell how long each took
 */
export function tableRows(results, workspaces, { seconds }) {
  const first = results[0]?.facts;
  const rows = results.map(({ name, facts, built, reason, notes = [] }) => {
    const cells = workspaces.map((workspace) => {
      const found = built.find((each) => each.workspace === workspace);
      if (found === undefined) return "-";
      return seconds ? `${shortDigest(found)} (${found.seconds} s)` : shortDigest(found);
    });
    const differences = first === undefined || facts === undefined ? "" : describeDifferences(first, facts);
    const said = [
      facts === first ? "" : differences,
      ...notes,
      reason === undefined ? "" : `${facts === undefined ? "not run: " : ""}${reason}`,
    ];
    return [name, facts?.node ?? "-", ...cells, said.filter((text) => text !== "").join("; ")];
  });
  return [["host", "node", ...workspaces, "differs from the first in"], ...rows];
}

/**
 * The digest of each image in full, and on how many hosts it came out.
 *
 * @param {readonly HostResult[]} results
 */
export function digestRows(results) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { workspace, digests } of results.flatMap(({ built }) => built)) {
    for (const [image, digest] of Object.entries(digests)) {
      const key = JSON.stringify([workspace.includes("zstd") ? `${image}, zstd` : image, digest]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const rows = [...counts].map(([key, count]) => [
    .../** @type {string[]} */ (JSON.parse(key)),
    String(count),
  ]);
  return [["image", "index digest", "hosts"], ...rows];
}

/**
 * Rows as columns of equal width, two spaces apart.
 * @param {readonly (readonly string[])[]} rows
 */
export function formatColumns(rows) {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

/** @param {readonly (readonly string[])[]} rows */
export function formatMarkdown([head = [], ...rows]) {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}
