// SPDX-License-Identifier: Apache-2.0
import { expect, test } from "vitest";
import { chooseEmulation, type EmulationFacts } from "./emulation.ts";

const BARE: EmulationFacts = { os: "linux", cpu: "x64", rule: undefined, program: undefined };
const RULE = "enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: POCF\noffset 0\n";
const PROGRAM = "/usr/bin/qemu-aarch64-static";

test.each([
  ["their own CPU need no emulator", { cpu: "arm64" }, "native"],
  ["another CPU run by the kernel's rule", { rule: RULE, program: PROGRAM }, "kernel"],
  ["another CPU on macOS are the virtual machine's business", { os: "darwin" as const }, "kernel"],
  ["another CPU run by the emulator itself where there is no rule", { program: PROGRAM }, "program"],
  [
    "another CPU run by the emulator itself where the rule is off",
    { rule: RULE.replace("enabled", "disabled"), program: PROGRAM },
    "program",
  ],
  [
    "another CPU run by the emulator itself where containers would have to hold it",
    { rule: RULE.replace("POCF", "POC"), program: PROGRAM },
    "program",
  ],
  ["another CPU do not run where there is neither", {}, "missing"],
])("programs for %s", (_, change, kind) => {
  expect(chooseEmulation("linux/arm64", { ...BARE, ...change }).kind).toBe(kind);
});

test("what is missing is told with its cure", () => {
  expect(chooseEmulation("linux/amd64", { ...BARE, cpu: "arm64" })).toEqual({
    kind: "missing",
    reason: "programs for amd64 do not run here: install qemu-user-static (binfmt support)",
  });
});
