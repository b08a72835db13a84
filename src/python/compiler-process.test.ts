// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { loaderVariables } from "./compiler-process.ts";

test("the compiler finds the libraries of its Node.js, and hears nothing that was meant for others", () => {
  const env = {
    LD_LIBRARY_PATH: "/opt/node/lib",
    QEMU_LD_PREFIX: "/opt/arm64",
    NODE_OPTIONS: "--require ./other.js",
    PYTHONPATH: "/opt/python",
    TZ: "Pacific/Kiritimati",
  };
  expect(loaderVariables(env)).toEqual({ LD_LIBRARY_PATH: "/opt/node/lib", QEMU_LD_PREFIX: "/opt/arm64" });
});
