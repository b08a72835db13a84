// SPDX-License-Identifier: Apache-2.0
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type AccessEntry, startRegistryServer } from "../../registry/index.ts";
import { ToolingError } from "../../core/error.ts";
import type { Command, CommandContext } from "../command.ts";
import { requireOperands, textOption } from "../option-value.ts";

/** `toolbox registry serve` */
export const registryServeCommand: Command = {
  summary: "Serve a folder as an OCI registry until Ctrl-C",
  usage: "",
  details: [
    "Only this machine can reach it by default. Any other address needs --htpasswd and TLS, or --insecure.",
  ],
  options: {
    listen: {
      type: "string",
      value: "HOST:PORT",
      summary: "Default: 127.0.0.1:5000; port 0 takes a free one",
    },
    store: {
      type: "string",
      value: "DIR",
      summary: "Where everything is kept. Default: the data folder of toolbox",
    },
    htpasswd: { type: "string", value: "FILE", summary: "Users who may read and write, with bcrypt hashes" },
    cert: { type: "string", value: "FILE", summary: "Certificate chain, PEM" },
    key: { type: "string", value: "FILE", summary: "Private key, PEM" },
    insecure: { type: "boolean", summary: "Serve other machines without passwords or without TLS" },
    "read-only": { type: "boolean", summary: "Refuse all changes" },
    "access-log": { type: "boolean", summary: "A line on stderr for each request" },
  },
  examples: [
    { command: "toolbox registry serve", summary: "a registry for this machine" },
    {
      command: "toolbox registry serve --listen 127.0.0.1:0 --store ./registry --json",
      summary: "for a script",
    },
  ],
  async run({ operands, options }, context) {
    requireOperands(operands, {});
    const { cwd, paths, signal } = context;
    const folder = resolve(cwd, textOption(options, "store") ?? join(paths.store, "..", "registry"));
    const htpasswd = textOption(options, "htpasswd");
    const server = await startRegistryServer({
      listen: textOption(options, "listen") ?? "127.0.0.1:5000",
      folder,
      insecure: options["insecure"] === true,
      readOnly: options["read-only"] === true,
      onFault: (error) => context.note(`fault: ${error instanceof Error ? error.message : String(error)}`),
      ...(htpasswd !== undefined && { htpasswd: resolve(cwd, htpasswd) }),
      ...(await readTls(options, cwd)),
      ...(options["access-log"] === true && {
        onAccess: (entry: AccessEntry) => context.note(formatAccess(entry)),
      }),
    });
    context.print(`serving ${folder} at ${server.url}`);
    context.printJson({ address: server.address, url: server.url, folder });
    await ended(signal);
    context.note("stopping: waiting for requests to end");
    await server.close();
    return 0;
  },
};

async function readTls(
  options: Readonly<Record<string, unknown>>,
  cwd: string,
): Promise<{ tls?: { cert: string; key: string } }> {
  const { cert, key } = options;
  if (typeof cert !== "string" && typeof key !== "string") return {};
  if (typeof cert !== "string" || typeof key !== "string") {
    throw new ToolingError("COMMAND_USAGE", "--cert and --key belong together", {
      hint: "Give both or neither.",
    });
  }
  const [certText, keyText] = await Promise.all([cert, key].map((file) => readPem(resolve(cwd, file))));
  return { tls: { cert: certText ?? "", key: keyText ?? "" } };
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new ToolingError("FILE_UNREADABLE", `"${file}" cannot be read`, {
      hint: "Check the path.",
      cause: error,
    });
  }
}

function formatAccess(entry: AccessEntry): string {
  return JSON.stringify(entry);
}

async function ended(signal: CommandContext["signal"]): Promise<void> {
  if (signal.aborted) return;
  // A pending promise does not keep the process alive; the listening socket does.
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
