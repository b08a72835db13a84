#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { isatty } from "node:tty";
import { callerHome } from "./caller.ts";
import { EXIT_CODES } from "./exit-code.ts";
import { listenForInterruptions } from "./interruption.ts";
import { openOutput } from "./output.ts";
import { runProgram } from "./program.ts";

// zod otherwise compiles a function for each schema, which a command that reads two documents never gets back: 10 ms of
// a build with nothing to do. It looks here when it is loaded.
Object.assign(globalThis, { __zod_globalConfig: { jitless: true } });

// No top-level await here: bundled commands import this file's chunk, and would wait for it for ever.
void main();

async function main(): Promise<void> {
  // What an event loop that runs dry before the end would leave behind must not look like success.
  process.exitCode = EXIT_CODES.unforeseen;
  const exitCode = await runProgram(process.argv.slice(2), {
    cwd: process.cwd(),
    env: process.env,
    home: process.env["HOME"] ?? callerHome(),
    stdout: openOutput(() => process.stdout, "stdout"),
    stderr: openOutput(() => process.stderr, "stderr"),
    // Without the streams, which a run needs none of: the command has the descriptors themselves.
    terminal: { stdin: isatty(0), stdout: isatty(1), stderr: isatty(2) },
    columns: () => process.stderr.columns,
    interruptions: listenForInterruptions(process),
  });
  // Idle connections and worker threads must not hold the process back: what was asked for is done.
  process.exit(exitCode);
}
