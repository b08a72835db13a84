// SPDX-License-Identifier: Apache-2.0
import { readFile, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { isSystemError } from "../../core/error.ts";
import { describeCaller } from "../caller.ts";
import type { Command, CommandContext } from "../command.ts";
import { diagnoseMachine } from "../diagnose-machine.ts";
import { diagnoseShims } from "../diagnose-shims.ts";
import { diagnoseWorkspace } from "../diagnose-workspace.ts";
import { EXIT_CODES } from "../exit-code.ts";
import type { Finding } from "../finding.ts";
import { requireOperands } from "../option-value.ts";
import { engineHost } from "../run-session.ts";

const MARKS = { fine: "ok     ", warning: "warning", broken: "BROKEN " } as const;

/** `toolbox doctor` */
export const doctorCommand: Command = {
  summary: "Look for what keeps commands from running, and say how to cure it",
  usage: "",
  details: [
    "Looks at engines, rootless set-up, emulation, the lock, images, PATH, shims, what the session needs, and disks.",
    "Changes nothing.",
    "The exit code is 1 when something is broken; warnings alone give 0.",
  ],
  options: {},
  examples: [
    { command: "toolbox doctor", summary: "when something does not work" },
    { command: "toolbox doctor --json", summary: "findings with their cures, for a script or a report" },
  ],
  async run({ operands }, context) {
    requireOperands(operands, {});
    const engines = engineHost(context);
    const findings = [
      ...(await diagnoseMachine({
        engines,
        userName: describeCaller().name ?? String(engines.uid),
        cpu: process.arch,
        folders: [...new Set([dirname(context.paths.store), context.paths.cache])],
        readText: async (path) => await readFile(path, "utf8").catch(() => undefined),
        freeBytes,
      })),
      ...(await diagnoseShims(context, engines)),
      ...(await diagnoseWorkspace(context, engines)),
    ];
    show(findings, context);
    const isBroken = findings.some(({ state }) => state === "broken");
    context.printJson({ healthy: !isBroken, findings });
    return isBroken ? EXIT_CODES.failed : 0;
  },
};

function show(findings: readonly Finding[], { print }: CommandContext): void {
  for (const { check, state, message, cure } of findings) {
    print(`${MARKS[state]}  ${check}: ${message}`);
    if (cure !== undefined) print(`         ${cure}`);
  }
}

/** The folder may not be there yet: what counts is the disk that it will be on. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if (isSystemError(error, "ENOENT") && dirname(folder) !== folder) return await freeBytes(dirname(folder));
    throw error;
  }
}
