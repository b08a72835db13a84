// SPDX-License-Identifier: Apache-2.0
import { join } from "node:path";
import { makeFolder } from "./programs.ts";
import { buildQuickstart, type ReportedImage, runInQuickstart, serveRegistry } from "./programs-toolbox.ts";

/** The quickstart's image in an embedded registry of its own. */
export interface PublishedImage {
  readonly report: ReportedImage;
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** `127.0.0.1:PORT/quickstart/tooling-k8s`, without tag or digest. */
  readonly repository: string;
  /** Digest of the index. */
  readonly digest: string;
  /** Digest of one platform's manifest: `linux/arm64`. */
  readonly manifestOf: (platform: string) => string;
  readonly remove: () => Promise<void>;
}

/** Tag under which {@link publishQuickstart} publishes. */
export const TAG = "e2e";

/** Builds the quickstart and publishes it to a registry that lives until `remove` is called. */
export async function publishQuickstart(): Promise<PublishedImage> {
  const report = await buildQuickstart();
  const folder = await makeFolder("registry");
  const registry = await serveRegistry(join(folder.path, "registry"));
  const remove = async (): Promise<void> => {
    await registry.stop();
    await folder.remove();
  };
  const { host } = registry;
  const published = await runInQuickstart(["publish", "--to", `${host}/quickstart`, "--tag", TAG]);
  if (published.code !== 0) {
    await remove();
    throw new Error(`publish failed: ${published.stdout}${published.stderr}`);
  }
  return {
    report,
    host,
    repository: `${host}/quickstart/${report.name}`,
    digest: report.index.digest,
    manifestOf: (platform) =>
      report.platforms.find((one) => one.platform === platform)?.manifest.digest ?? `no ${platform}`,
    remove,
  };
}
