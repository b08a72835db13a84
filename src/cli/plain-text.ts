// SPDX-License-Identifier: Apache-2.0

/** What a stranger wrote is shown on one line and cannot move the cursor. */
export function plainText(text: string): string {
  return text.replaceAll(/\p{C}+/gu, " ");
}
