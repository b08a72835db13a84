// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { blobProbes } from "../support/blob-probes.ts";
import { dataProbes, plainProbes } from "../support/content-probes.ts";
import { ObservedRegistry } from "../support/observed-registry.ts";
import { type PeerName, PEERS, type PeerRegistry, startPeer } from "../support/peer-registry.ts";
import { hasZot } from "../support/zot.ts";

/** What follows when a manifest was not taken, and when its tags were not. */
const UNKNOWN = "tags no head 404 pull 404 delete tag 400 404 manifests 404 404 blobs 202 404";
const UNTAGGED = "delete tag 404 404 manifests 202 404 blobs 202 404 oci-tag none";

/** Observations, by the name of the probe. A pair replaces words in all of them. */
interface Differences {
  readonly everywhere?: readonly (readonly [RegExp, string])[];
  readonly [probe: string]: string | readonly (readonly [RegExp, string])[] | undefined;
}

/**
 * The groups of the specification's own suite, as our own black-box test. Ours does all of it; where others differ is
 * written down here, so a difference that is not is a failed test.
 */
const DIFFERENCES: Readonly<Record<PeerName, Differences>> = {
  toolbox: {},
  // Debian's 2.8: before distribution-spec 1.1, with a gap or two.
  "docker-registry": {
    // Tags cannot be deleted, and there is no list of referrers.
    everywhere: [
      [/delete tag 202 404/, "delete tag 400 200"],
      [/referrers \d filtered \d/, "referrers 404 filtered 404"],
    ],
    "referrers of an empty repository": "404",
    "manifest with a digest that is none": "400 500",
    // A blob in one POST is a new upload instead; so is a mount without a source.
    ...both("post only", "202 404 202"),
    ...both("a wrong digest", "202 400 400 400 400 404"),
    ...both("mount without a source", "202 404"),
    "sha512 mount": "201 404",
    // A first chunk is taken from anywhere, and a repeated one ends the upload.
    ...both("chunks out of order", "202 404 200 200 200 400 404"),
    ...both("chunks out of order, the last with PUT", "202 0-2499 400 400 404"),
    // What cannot be satisfied breaks the connection.
    ...both("ranges", "500-1499 500-3999 3500-3999 2000-3999 cut cut"),
    "layers that are not to be distributed": `push 500 ${UNKNOWN}`,
    sha512: `push 400 ${UNKNOWN} oci-tag none`,
    "tag parameters with sha512": `push 400 ${UNKNOWN} oci-tag none`,
    "tag parameters":
      "push 201 tags no head same pull same delete tag 400 404 manifests 202 404 blobs 202 404 oci-tag none",
  },
  // Made for tests: no sha512, little of uploads in parts, referrers only where asked for when it starts.
  crane: {
    everywhere: [[/referrers \d filtered \d/, "referrers 404 filtered 404"]],
    "referrers of an empty repository": "404",
    "manifest with a digest that is none": "201 200",
    "manifest under another one's digest": "201 200",
    "sha256 post only": "201 same nowhere",
    // Every repository sees every blob, so nothing needs to be mounted.
    "sha256 mount": "202 same",
    "sha256 mount without a source": "202 same",
    ...both("cancel", "202 400 400"),
    ...both("chunks out of order", "416 202 0-2499 416 400 404 400 404"),
    ...both("chunks out of order, the last with PUT", "202 0-2499 400 400 404"),
    "sha256 ranges": "500-1499 416 416 416 different 416",
    "sha512 ranges": "404 404 404 404 404 404",
    "sha512 post only": "201 404 nowhere",
    "sha512 post and put": "202 201 404",
    "sha512 chunked in one": "202 0-3999 201 404",
    "sha512 stream": "202 0-3999 201 404",
    "sha512 mount": "202 404",
    "sha512 mount without a source": "202 404",
    "sha512 mount of what is not there": "202 201 404",
    "sha512 chunked": "202 0-2499 202 0-3999 201 404",
    "sha512 chunked, the last with PUT": "202 0-2499 201 404",
    "sha512 empty": "201 404",
    "sha512 empty JSON": "201 404",
    sha512: `push 201 tags no head different pull different ${UNTAGGED}`,
    "tag parameters": `push 201 tags no head same pull same ${UNTAGGED}`,
    "tag parameters with sha512": `push 201 tags no head different pull different ${UNTAGGED}`,
  },
  // None was seen: 2.1.20 and a few commits more, built without extensions.
  zot: {},
};

const PROBES = [...plainProbes(), ...blobProbes("sha256"), ...blobProbes("sha512"), ...dataProbes()];

/** One line instead of many tests that are not there. */
test.runIf(hasZot())("zot is among the registries (needs TOOLBOX_ZOT)", () => {
  expect(PEERS.map(([name]) => name)).toContain("zot");
});

describe.each(PEERS)("the registry of %s", (name, isHere) => {
  let peer: PeerRegistry | undefined;
  beforeAll(async () => {
    peer = isHere ? await startPeer(name) : undefined;
  }, 900_000);
  afterAll(async () => {
    await peer?.stop();
  });

  test.runIf(isHere).each(PROBES)("$name", async ({ name: title, expected, observe }) => {
    const registry = new ObservedRegistry(peer?.host ?? "", `group/r${randomUUID()}`);
    expect(await observe(registry)).toBe(expectedOf(name, title, expected));
  });

  test("no difference is written down for a question that is not asked", () => {
    const asked = new Set(PROBES.map((probe) => probe.name));
    const titles = Object.keys(DIFFERENCES[name]);
    expect(titles.filter((title) => title !== "everywhere" && !asked.has(title))).toEqual([]);
  });
});

function expectedOf(name: PeerName, title: string, expected: string): string {
  const { [title]: own, everywhere = [] } = DIFFERENCES[name];
  if (typeof own === "string") return own;
  return everywhere.reduce((text, [from, to]) => text.replace(from, to), expected);
}

/** The same for both algorithms. */
function both(title: string, seen: string): Record<string, string> {
  return { [`sha256 ${title}`]: seen, [`sha512 ${title}`]: seen };
}
