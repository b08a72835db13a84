// SPDX-License-Identifier: Apache-2.0
// @ts-check
/**
 * The library instead of the command line: two registries in this process, an artifact with something attached, and a
 * copy of both from one registry to the other. Needs no network and leaves nothing behind.
 *
 * usage: npm install @best-tools/toolbox && node copy-image.mjs
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  applyCopy,
  identityOf,
  planArtifact,
  planCopy,
  pullArtifact,
  pushArtifact,
} from "@best-tools/toolbox/oci";
import { openRegistryRepository, startRegistryServer } from "@best-tools/toolbox/registry";

const folder = await mkdtemp(join(tmpdir(), "toolbox-library-"));
const here = await startRegistryServer({ folder: join(folder, "here") });
const there = await startRegistryServer({ folder: join(folder, "there") });
try {
  const from = openRegistryRepository({ registry: here.address, repository: "team/notes" });
  const to = openRegistryRepository({ registry: there.address, repository: "mirror/notes" });

  // Push a file, then attach an SBOM to it.
  await writeFile(join(folder, "notes.txt"), "read me\n");
  await writeFile(join(folder, "sbom.json"), '{"spdxVersion":"SPDX-2.3"}\n');
  const notes = await planArtifact("application/vnd.example.notes", [
    { path: join(folder, "notes.txt"), title: "notes.txt", mediaType: "text/plain" },
  ]);
  await pushArtifact(notes, from, { tag: "1.0" });
  const spdx = "application/spdx+json";
  const sbom = { path: join(folder, "sbom.json"), title: "sbom.json", mediaType: spdx };
  await pushArtifact(await planArtifact(spdx, [sbom], { subject: notes.descriptor }), from);

  // A plan is data: look at it before anything is sent.
  const root = identityOf(await from.resolveManifest("1.0"));
  const plan = await planCopy(from, to, root, {
    listReferrers: (subject, options) => from.listReferrers(subject, options),
  });
  console.log(`to send: ${plan.blobs.length} blobs and ${plan.manifests.length} manifests`);
  await applyCopy(plan, from, to, { tag: "1.0" });

  const copied = await to.resolveManifest("1.0");
  if (copied.digest !== root.digest) throw new Error(`${copied.digest} is not ${root.digest}`);
  console.log(`same digest in both registries: ${copied.digest}`);
  for (const referrer of await to.listReferrers(copied.digest)) {
    const { files } = await pullArtifact(to, identityOf(referrer), join(folder, "pulled"));
    console.log(`attached: ${files.map(({ title }) => title).join(", ")} (${referrer.artifactType})`);
  }
} finally {
  await here.close();
  await there.close();
  await rm(folder, { recursive: true, force: true });
}
