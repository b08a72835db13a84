// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";

const number = fc.nat({ max: 12 });

/** Versions in all spellings that PEP 440 allows, dense enough that many are near each other. */
export const pythonVersions: fc.Arbitrary<string> = fc
  .record({
    epoch: fc.constantFrom("", "", "", "1!", "v"),
    release: fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(".")),
    pre: spelled("", "", "a", ".beta.", "-c", "_rc_", "preview"),
    post: spelled("", "", ".post", "-", "-rev", "_r."),
    dev: spelled("", "", ".dev", "-dev-"),
    local: fc.constantFrom("", "", "", "+1", "+ubuntu.1", "+A-b"),
  })
  .map(({ epoch, release, pre, post, dev, local }) => `${epoch}${release}${pre}${post}${dev}${local}`);

/** One to three clauses; some are malformed. */
export const pythonSpecifiers: fc.Arbitrary<string> = fc
  .array(
    fc
      .tuple(
        fc.constantFrom("==", "!=", "<=", ">=", "<", ">", "~="),
        fc.constantFrom("", " "),
        pythonVersions,
        fc.constantFrom("", "", "", ".*"),
      )
      .map((parts) => parts.join("")),
    { minLength: 1, maxLength: 3 },
  )
  .map((clauses) => clauses.join(","));

function spelled(...words: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...words), number)
    .map(([word, count]) => (word === "" ? "" : `${word}${count}`));
}
