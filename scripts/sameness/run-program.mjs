// SPDX-License-Identifier: Apache-2.0
// @ts-check
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";

/**
 * Runs a program to its end and gives what it printed. What it says on stderr goes to a file, whose end is told when it
 * fails.
 *
 * @param {readonly string[]} command
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, log: string, signal?: AbortSignal, accept?: readonly number[] }} options
 *   accept: exit codes that are no failure. Absent: 0 only
 * @returns {Promise<string>}
 */
export async function runProgram(command, { cwd, env = process.env, log, signal, accept = [0] }) {
  const [program = "", ...args] = command;
  const output = openSync(log, "a");
  try {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ["ignore", "pipe", output],
      ...(signal === undefined ? {} : { signal }),
      killSignal: "SIGTERM",
    });
    let printed = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => (printed += text));
    /** @type {number | null} */
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    if (code !== null && accept.includes(code)) return printed;
    throw new Error(`${program} ended with ${code}\n  ${(await lastWords(log)).join("\n  ")}`);
  } finally {
    closeSync(output);
  }
}

/**
 * What a program complained of, as far as that can be told from what it said before.
 * @param {string} log
 */
async function lastWords(log) {
  const lines = (await readFile(log, "utf8")).trimEnd().split("\n");
  const start = lines.findLastIndex((line) => /^(?:internal )?error[:,]/.test(line));
  return start < 0 ? lines.slice(-MOST_LINES) : lines.slice(start, start + MOST_LINES);
}

const MOST_LINES = 6;
