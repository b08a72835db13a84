// SPDX-License-Identifier: Apache-2.0
import { answer, type Endpoint, type Exchange, expectDigest } from "../exchange.ts";
import { isTag } from "../../../oci/index.ts";
import { RegistryFault } from "../registry-fault.ts";

/** `DELETE /v2/NAME/manifests/REFERENCE`: a tag alone, or a manifest with all its tags. */
export const deleteManifest: Endpoint = async (exchange) => {
  const { route, storage } = exchange;
  const isThere = await storage.alone(route.repository, async () =>
    route.reference.includes(":") ? removeManifest(exchange) : removeTag(exchange),
  );
  if (!isThere) throw new RegistryFault(404, "MANIFEST_UNKNOWN", "the manifest is not in this repository");
  answer(exchange, { status: 202 });
};

async function removeTag({ route, storage }: Exchange): Promise<boolean> {
  return isTag(route.reference) && storage.tags.remove(route.repository, route.reference);
}

/** Tags go first, so that after a crash none stands for nothing. */
async function removeManifest({ route, storage }: Exchange): Promise<boolean> {
  const digest = expectDigest(route.reference);
  for (const tag of await storage.tags.listOf(route.repository, digest)) {
    await storage.tags.remove(route.repository, tag);
  }
  return storage.manifests.remove(route.repository, digest);
}
