// SPDX-License-Identifier: Apache-2.0

/** The name that an image of the workspace has in the local store, and at its registry under the tag `latest`. */
export function localImageName(registry: string | undefined, image: string): string {
  return `${registry === undefined ? "" : `${registry}/`}${image}:latest`;
}
