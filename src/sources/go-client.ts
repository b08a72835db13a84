// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { GO_VARIABLES, type GoSettings } from "./mirrors.ts";
import { runProgram } from "./subprocess.ts";

/**
 * What the machine's own go command says of mirrors (`go env`), `go env -w` included. Empty: there is no go command,
 * or it gives no answer.
 */
export async function readGoClient(
  env: Readonly<Record<string, string | undefined>>,
  { cwd, signal }: { readonly cwd: string; readonly signal?: AbortSignal | undefined },
): Promise<GoSettings> {
  const whole = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  try {
    const args = ["env", "-json", ...GO_VARIABLES];
    const result = await runProgram("go", args, {
      cwd,
      // Another toolchain must not be fetched only to answer this.
      env: { ...Object.fromEntries(whole), GOTOOLCHAIN: "local" },
      signal,
    });
    return result.exitCode === 0 ? (JSON.parse(result.stdout) as GoSettings) : {};
  } catch (error) {
    if (error instanceof ToolingError && error.code === "COMMAND_NOT_FOUND") return {};
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
