// SPDX-License-Identifier: Apache-2.0
import type { Endpoint } from "../exchange.ts";
import type { RouteName } from "../route.ts";
import { appendUpload } from "./append-upload.ts";
import { cancelUpload } from "./cancel-upload.ts";
import { closeUpload } from "./close-upload.ts";
import { deleteBlob } from "./delete-blob.ts";
import { deleteManifest } from "./delete-manifest.ts";
import { getBlob } from "./get-blob.ts";
import { getManifest } from "./get-manifest.ts";
import { listReferrers } from "./list-referrers.ts";
import { listRepositories } from "./list-repositories.ts";
import { listTags } from "./list-tags.ts";
import { ping } from "./ping.ts";
import { putManifest } from "./put-manifest.ts";
import { showHealth } from "./show-health.ts";
import { showMetrics } from "./show-metrics.ts";
import { showUpload } from "./show-upload.ts";
import { startUpload } from "./start-upload.ts";

/** Who serves what. */
export const ENDPOINTS: Readonly<Record<RouteName, Readonly<Record<string, Endpoint>>>> = {
  blob: { GET: getBlob, HEAD: getBlob, DELETE: deleteBlob },
  health: { GET: showHealth, HEAD: showHealth },
  manifest: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest },
  metrics: { GET: showMetrics },
  ping: { GET: ping, HEAD: ping },
  referrers: { GET: listReferrers, HEAD: listReferrers },
  repositories: { GET: listRepositories },
  tags: { GET: listTags, HEAD: listTags },
  upload: { GET: showUpload, PATCH: appendUpload, PUT: closeUpload, DELETE: cancelUpload },
  uploads: { POST: startUpload },
};
