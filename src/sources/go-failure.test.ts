// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { describeGoFailure } from "./go-failure.ts";

test("a module that has moved is a version that is not to be had, and says where it went", () => {
  const output = `go: moved.example/tool@v0.40.0: parsing go.mod:
\tmodule declares its path as: new.example/tool
\t        but was required as: moved.example/tool
`;
  const failure = describeGoFailure("moved.example/tool@v0.40.0", output, "go1.27.3");
  expect(failure.code).toBe("VERSION_NOT_FOUND");
  expect(failure.message).toBe('"moved.example/tool@v0.40.0" calls itself "new.example/tool"');
});

test("a version that the checksum database does not have is told apart from one that is something else", () => {
  const start = "lint.example@v1.2.3: verifying go.mod: lint.example@v1.2.3/go.mod: ";
  const unknown = describeGoFailure(
    "lint.example@v1.2.3",
    `${start}reading https://db.example/lookup/lint.example@v1.2.3: 404 Not Found`,
    "go1.27.3",
  );
  expect([unknown.code, unknown.message]).toEqual([
    "VERSION_NOT_FOUND",
    '"lint.example@v1.2.3" has no record in Go\'s checksum database',
  ]);
  const other = describeGoFailure("lint.example@v1.2.3", `${start}checksum mismatch`, "go1.27.3");
  expect(other.code).toBe("CHECKSUM_MISMATCH");
});

test("what nobody foresaw is told in the go command's last line", () => {
  const { code, message } = describeGoFailure(
    "lint.example@v1",
    "go: downloading x\ngo: strange\n",
    "go1.27.3",
  );
  expect([code, message]).toEqual(["DOWNLOAD_FAILED", '"lint.example@v1" cannot be fetched: go: strange']);
});
