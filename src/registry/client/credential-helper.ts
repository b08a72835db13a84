// SPDX-License-Identifier: Apache-2.0
import { spawn } from "node:child_process";
import { isSystemError, ToolingError } from "../../core/error.ts";
import type { OperationOptions } from "../../core/operation.ts";
import type { Credentials } from "./credentials.ts";

/** Optional parts of {@link askCredentialHelper}. */
export interface CredentialHelperOptions extends OperationOptions {
  /** Environment of the helper; its `PATH` says where it is. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

const LONGEST_ANSWER = 64 * 1024;
const TIMEOUT = 30_000;

/**
 * Asks `docker-credential-NAME` for what it keeps for a server. Started without a shell; the answer is never shown.
 *
 * @returns `undefined` when it keeps nothing for that server
 * @throws {ToolingError} `CREDENTIALS_INVALID`
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  options: CredentialHelperOptions,
): Promise<Credentials | undefined> {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(name)) {
    throw new ToolingError(
      "CREDENTIALS_INVALID",
      `"${name.slice(0, 64)}" is not the name of a credential helper`,
      {
        hint: "Correct credsStore or credHelpers in the Docker configuration.",
      },
    );
  }
  const { code, output } = await run(`docker-credential-${name}`, server, options);
  if (code !== 0) {
    if (/credentials not found|not found in native keychain/i.test(output)) return undefined;
    throw invalid(name, `ended with ${code ?? "a signal"}`);
  }
  const answer = parseAnswer(name, output);
  if (answer.Secret === "" || (answer.Username === "" && answer.Secret === "")) return undefined;
  if (answer.Username === "<token>") return { kind: "identity-token", token: answer.Secret };
  return { kind: "password", username: answer.Username, password: answer.Secret };
}

async function run(
  program: string,
  input: string,
  { env, signal }: CredentialHelperOptions,
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["get"], {
      env: { ...env },
      stdio: ["pipe", "pipe", "ignore"],
      timeout: TIMEOUT,
      signal,
    });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= LONGEST_ANSWER) chunks.push(chunk);
      else child.kill();
    });
    child.once("error", (error) => reject(describeStartFailure(error, program, signal)));
    child.once("close", (code) => resolve({ code, output: Buffer.concat(chunks).toString("utf8") }));
    // A helper that does not read its input ends anyway, and its exit code tells.
    child.stdin.on("error", () => undefined);
    child.stdin.end(`${input}\n`);
  });
}

function describeStartFailure(error: Error, program: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (!isSystemError(error, "ENOENT", "EACCES")) return error;
  return new ToolingError("CREDENTIALS_INVALID", `credential helper "${program}" cannot be started`, {
    hint: "Install it, or remove it from credsStore or credHelpers in the Docker configuration.",
    cause: error,
  });
}

function parseAnswer(name: string, output: string): { Username: string; Secret: string } {
  try {
    const { Username, Secret } = JSON.parse(output) as { Username?: unknown; Secret?: unknown };
    if (typeof Username === "string" && typeof Secret === "string") return { Username, Secret };
  } catch {
    // The text may hold a secret, so not even the parser's message is passed on.
  }
  throw invalid(name, "gave an answer that cannot be read");
}

function invalid(name: string, what: string): ToolingError {
  return new ToolingError("CREDENTIALS_INVALID", `credential helper "docker-credential-${name}" ${what}`, {
    hint: "Run it by hand to see why, or log in again.",
  });
}
