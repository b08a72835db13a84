// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from "node:crypto";
import {
  describeBytes,
  type Descriptor,
  type DigestAlgorithm,
  digestOf,
  EMPTY_BYTES,
  EMPTY_DESCRIPTOR,
  MANIFEST_MEDIA_TYPES,
  MEDIA_TYPES,
} from "../../src/oci/index.ts";
import { type Probe, words } from "./blob-probes.ts";
import type { Observed, ObservedRegistry } from "./observed-registry.ts";

interface Document {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly descriptor: Descriptor;
}

/** What is pushed: blobs, then manifests, the last of them with a tag. */
interface DataSet {
  readonly blobs: readonly Uint8Array[];
  readonly manifests: readonly Document[];
  /** Whose referrers are asked for. Absent: nobody's. */
  readonly subject?: Descriptor;
  /** Parameters of the last PUT, which then is by digest. Absent: it is by tag. */
  readonly tags?: readonly string[];
}

const DONE = "push 201 tags yes head same pull same delete tag 202 404 manifests 202 404 blobs 202 404";

/** The suite's data sets: each is pushed, listed, looked at, pulled, and deleted. */
export function dataProbes(): readonly Probe[] {
  const probe = (name: string, make: () => DataSet, expected = DONE): Probe => ({
    name,
    expected,
    observe: async (registry) => observeDataSet(registry, make()),
  });
  const about = (count: number): string => DONE.replace("delete", `referrers ${count} filtered 1 delete`);
  return [
    probe("image", () => image({})),
    probe("image, not compressed", () => image({}, MEDIA_TYPES.layerTar)),
    probe("large manifest", () => image({ annotations: { large: "x".repeat(3_500_000) } })),
    probe("index", () => indexOf([image({}), image({})])),
    probe("nested index", () => indexOf([indexOf([image({})])])),
    probe("empty index", () => indexOf([])),
    probe("artifact", () => artifact({})),
    probe("artifact index", () => indexOf([artifact({})], { artifactType: "test/index" })),
    probe("artifact without layers", () => artifact({ layers: [EMPTY_DESCRIPTOR] })),
    probe("artifacts with a subject", () => withSubject(), about(2)),
    probe("index with a subject", () => indexWithSubject(), about(1)),
    probe("missing subject", () => missingSubject(), about(1)),
    probe("data field", () => artifact({ layers: [{ ...EMPTY_DESCRIPTOR, data: "e30=" }] })),
    probe("layers that are not to be distributed", () => foreignLayers()),
    probe("unknown members", () => image({ "org.example.custom": { a: [1] } })),
    probe("no layers", () => artifact({ layers: [] })),
    probe("sha512", () => image({}, MEDIA_TYPES.layerGzip, "sha512"), `${DONE} oci-tag v1`),
    probe("tag parameters", () => ({ ...image({}), tags: ["p1", "p2"] }), `${DONE} oci-tag p1,p2`),
    probe(
      "tag parameters with sha512",
      () => ({ ...image({}, MEDIA_TYPES.layerGzip, "sha512"), tags: ["p1", "p2"] }),
      `${DONE} oci-tag p1,p2`,
    ),
  ];
}

/** Asks once and looks at the status only. `REPO` in the path stands for the repository. */
function status(name: string, expected: string, method: string, path: string): Probe {
  return {
    name,
    expected,
    observe: async (registry) =>
      String((await registry.send(method, path.replace("REPO", registry.repository))).status),
  };
}

/** What the suite asks besides blobs and data sets. */
export function plainProbes(): readonly Probe[] {
  const missing = digestOf("missing");
  const headers = { "content-type": MEDIA_TYPES.imageManifest };
  return [
    status("ping", "200", "GET", "/v2/"),
    status("referrers of an empty repository", "200", "GET", `/v2/REPO/referrers/${missing}`),
    status("missing manifest by digest", "404", "GET", `/v2/REPO/manifests/${missing}`),
    status("missing manifest by tag", "404", "GET", "/v2/REPO/manifests/missing"),
    {
      name: "manifest with a digest that is none",
      expected: "400 refused",
      async observe(registry) {
        const path = registry.path("manifests/sha256:baddigeststring");
        const put = await registry.send("PUT", path, {
          body: artifact({}).manifests[0]?.bytes ?? "",
          headers,
        });
        const got = (await registry.send("GET", path)).status;
        return words(put.status, got === 400 || got === 404 ? "refused" : got);
      },
    },
    {
      name: "manifest under another one's digest",
      expected: "400 404",
      async observe(registry) {
        await registry.pushBlob(EMPTY_BYTES);
        const path = registry.path(`manifests/${digestOf("another")}`);
        const put = await registry.send("PUT", path, {
          body: artifact({}).manifests[0]?.bytes ?? "",
          headers,
        });
        return words(put.status, (await registry.send("GET", path)).status);
      },
    },
  ];
}

async function observeDataSet(registry: ObservedRegistry, data: DataSet): Promise<string> {
  for (const blob of data.blobs) await registry.pushBlob(blob);
  const answers: Observed[] = [];
  for (const [place, document] of data.manifests.entries()) {
    const isRoot = place === data.manifests.length - 1;
    const { bytes: body, mediaType } = document;
    const path = registry.path(`manifests/${isRoot ? rootPath(document, data) : document.descriptor.digest}`);
    answers.push(await registry.send("PUT", path, { body, headers: { "content-type": mediaType } }));
  }
  const statuses = new Set(answers.map(({ status }) => status));
  const seen = ["push", ...statuses, "tags", await findTags(registry, data.tags ?? ["v1"])];
  seen.push("head", await lookAt(registry, data, "HEAD"), "pull", await lookAt(registry, data, "GET"));
  if (data.subject !== undefined) seen.push(...(await listReferrers(registry, data.subject)));
  seen.push("delete", ...(await removeAll(registry, data)));
  if (data.tags !== undefined) seen.push("oci-tag", formatTags(answers.at(-1)?.headers["oci-tag"]));
  return words(...seen);
}

function rootPath({ descriptor }: Document, { tags }: DataSet): string {
  return tags === undefined ? "v1" : `${descriptor.digest}?${tags.map((tag) => `tag=${tag}`).join("&")}`;
}

function formatTags(header: string | string[] | undefined): string {
  return [header].flat().join(",").replaceAll(" ", "") || "none";
}

async function findTags(registry: ObservedRegistry, tags: readonly string[]): Promise<string> {
  const { body, status } = await registry.send("GET", registry.path("tags/list"));
  const listed = status === 200 ? (JSON.parse(String(body)) as { tags: string[] | null }).tags : [];
  return tags.every((tag) => listed?.includes(tag)) ? "yes" : "no";
}

async function lookAt(registry: ObservedRegistry, data: DataSet, method: string): Promise<string> {
  for (const { bytes, descriptor, mediaType } of data.manifests) {
    const path = registry.path(`manifests/${descriptor.digest}`);
    const { body, headers, status } = await registry.send(method, path, { headers: { accept: mediaType } });
    const isSame = method === "HEAD" || body.equals(bytes);
    const says = [headers["content-type"], headers["docker-content-digest"], headers["content-length"]];
    if (status !== 200) return String(status);
    if (!isSame || says.join() !== [mediaType, descriptor.digest, bytes.byteLength].join())
      return "different";
  }
  return "same";
}

async function listReferrers(registry: ObservedRegistry, { digest }: Descriptor): Promise<string[]> {
  const seen: string[] = [];
  for (const [word, query] of [
    ["referrers", ""],
    ["filtered", "?artifactType=test/one"],
  ] as const) {
    const { body, status } = await registry.send("GET", registry.path(`referrers/${digest}${query}`));
    const list =
      status === 200 ? (JSON.parse(String(body)) as { manifests: unknown[] }).manifests : undefined;
    seen.push(word, String(list?.length ?? status));
  }
  return seen;
}

/** The tag, the manifests from the last to the first, the blobs; and for each whether it is gone at once. */
async function removeAll(
  registry: ObservedRegistry,
  { blobs, manifests, tags = ["v1"] }: DataSet,
): Promise<string[]> {
  const remove = async (paths: readonly string[]): Promise<string> => {
    const seen = new Set<string>();
    for (const path of paths) {
      const { status } = await registry.send("DELETE", registry.path(path));
      const headers = { accept: MANIFEST_MEDIA_TYPES.join(", ") };
      seen.add(words(status, (await registry.send("GET", registry.path(path), { headers })).status));
    }
    return [...seen].join("/");
  };
  const named = manifests.map(({ descriptor }) => `manifests/${descriptor.digest}`).toReversed();
  const contents = [...new Set(blobs.map((blob) => `blobs/${digestOf(blob)}`))];
  const gone = contents.length === 0 ? "202 404" : undefined;
  const seen = [await remove(tags.map((tag) => `manifests/${tag}`)), await remove(named)];
  return ["tag", seen[0] ?? "", "manifests", seen[1] ?? "", "blobs", gone ?? (await remove(contents))];
}

function documentOf(mediaType: string, members: object, algorithm: DigestAlgorithm = "sha256"): Document {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...members }, undefined, 1));
  const descriptor = { mediaType, digest: digestOf(bytes, algorithm), size: bytes.byteLength };
  return { bytes, mediaType, descriptor };
}

function image(
  members: object,
  layerType: string = MEDIA_TYPES.layerGzip,
  algorithm?: DigestAlgorithm,
): DataSet {
  const [config, layer] = [
    Buffer.from(JSON.stringify({ os: "linux", id: randomBytes(8).toString("hex") })),
    randomBytes(300),
  ];
  const parts = {
    config: describeBytes(config, MEDIA_TYPES.imageConfig),
    layers: [describeBytes(layer, layerType)],
  };
  const isTagless = algorithm === "sha512";
  const manifest = documentOf(MEDIA_TYPES.imageManifest, { ...parts, ...members }, algorithm);
  // A tag names a sha256, so what has a sha512 comes by its digest.
  return { blobs: [config, layer], manifests: [manifest], ...(isTagless && { tags: ["v1"] }) };
}

function artifact(members: object): DataSet {
  const note = randomBytes(100);
  const parts = {
    artifactType: "test/one",
    config: EMPTY_DESCRIPTOR,
    layers: [describeBytes(note, "text/plain")],
  };
  return {
    blobs: [EMPTY_BYTES, note],
    manifests: [documentOf(MEDIA_TYPES.imageManifest, { ...parts, ...members })],
  };
}

function indexOf(parts: readonly DataSet[], members: object = {}): DataSet {
  const manifests = parts.flatMap((part) => part.manifests.slice(-1).map(({ descriptor }) => descriptor));
  const index = documentOf(MEDIA_TYPES.imageIndex, { manifests, ...members });
  return {
    blobs: parts.flatMap(({ blobs }) => blobs),
    manifests: [...parts.flatMap((part) => part.manifests), index],
  };
}

function withSubject(): DataSet {
  const { blobs, manifests } = image({});
  const subject = manifests[0]?.descriptor;
  const [one, two] = [artifact({ subject }), artifact({ subject, artifactType: "test/two" })];
  return join({ blobs, manifests }, one, two);
}

function indexWithSubject(): DataSet {
  const whole = image({});
  const subject = whole.manifests[0]?.descriptor;
  return join(whole, indexOf([image({})], { subject, artifactType: "test/one" }));
}

function missingSubject(): DataSet {
  const subject = describeBytes(randomBytes(9), MEDIA_TYPES.imageManifest);
  return { ...artifact({ subject }), subject };
}

function join(about: DataSet, ...others: readonly DataSet[]): DataSet {
  const all = [about, ...others];
  const [subject] = about.manifests;
  return {
    blobs: all.flatMap(({ blobs }) => blobs),
    manifests: all.flatMap(({ manifests }) => manifests),
    ...(subject !== undefined && { subject: subject.descriptor }),
  };
}

function foreignLayers(): DataSet {
  const mediaType = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";
  const foreign = { ...describeBytes(randomBytes(50), mediaType), urls: ["https://example.com/layer"] };
  const { blobs, manifests } = image({});
  const [{ bytes } = { bytes: Buffer.from("{}") }] = manifests;
  const { layers, ...rest } = JSON.parse(String(bytes)) as { layers: object[] };
  return {
    blobs,
    manifests: [documentOf(MEDIA_TYPES.imageManifest, { ...rest, layers: [...layers, foreign] })],
  };
}
