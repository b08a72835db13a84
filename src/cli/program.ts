// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { ToolingError } from "../core/error.ts";
import type { ProgressEvent } from "../core/operation.ts";
import { COMMANDS, findCommand, type FoundCommand, membersOf } from "./command-table.ts";
import type { Command, CommandContext, CommandInput } from "./command.ts";
import { EXIT_CODES } from "./exit-code.ts";
import { describeFailure } from "./failure.ts";
import { GLOBAL_OPTIONS, PROGRAM_OPTIONS } from "./global-options.ts";
import type { Interruptions } from "./interruption.ts";
import { machinePaths } from "./machine-paths.ts";
import type { Output } from "./output.ts";
import { parseOptions, splitLeadingOptions } from "./parse-options.ts";
import type { ProgressView } from "./progress.ts";

/** The process, as far as the program needs it; a test passes another one. */
export interface ProgramHost {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly terminal: CommandContext["terminal"];
  /** Width of the terminal on stderr. */
  readonly columns: () => number | undefined;
  readonly interruptions: Interruptions;
}

/** Does what the words of the command line say, and gives the exit code. Never throws. */
export async function runProgram(argv: readonly string[], host: ProgramHost): Promise<number> {
  const progress: ProgressHolder = {};
  const settings = { json: argv.includes("--json"), debug: argv.includes("--debug") };
  try {
    const exitCode = await dispatch(argv, host, { progress, settings });
    endProgress(progress);
    await host.stdout.flush();
    return exitCode;
  } catch (error) {
    endProgress(progress);
    const aborted: unknown = host.interruptions.signal.aborted ? host.interruptions.signal.reason : undefined;
    const failure = describeFailure(error, { debug: settings.debug, aborted });
    if (settings.json) host.stdout.write(`${JSON.stringify(failure.json, null, 2)}\n`);
    host.stderr.write(`${failure.lines.join("\n")}\n`);
    // Nothing more can be said when these cannot be written either.
    await Promise.allSettled([host.stdout.flush(), host.stderr.flush()]);
    return failure.exitCode;
  }
}

function endProgress(progress: ProgressHolder): void {
  progress.ended = true;
  progress.view?.close();
}

interface ProgressHolder {
  view?: ProgressView;
  ended?: boolean;
}

interface Running {
  readonly progress: ProgressHolder;
  /** How an error is shown; corrected once the options are known. */
  readonly settings: { json: boolean; debug: boolean };
}

async function dispatch(argv: readonly string[], host: ProgramHost, running: Running): Promise<number> {
  const { leading, rest, separated } = splitLeadingOptions(argv, PROGRAM_OPTIONS);
  const found = separated ? undefined : findCommand(rest);
  if (found === undefined) running.settings.json = leading.includes("--json");
  const globals = parseOptions(leading, PROGRAM_OPTIONS, "toolbox").options;
  if (globals["version"] === true) return show(host, `${packageVersion()}\n`);
  const [word] = rest;
  if (word === undefined) return await runNothing(globals, host);
  if (found !== undefined) return await runVerb(found, globals, host, running);
  if (!separated && membersOf(word).length > 0) return await runGroup(word, rest.slice(1), host);
  if (globals["help"] === true) return await runNothing(globals, host);
  const input = { operands: rest, options: globals };
  if (!separated) await requireRunnable(word, host, input);
  return await runCommandFor(await loadRun(), input, host, running);
}

async function runVerb(
  { name, entry, words }: FoundCommand,
  globals: CommandInput["options"],
  host: ProgramHost,
  running: Running,
): Promise<number> {
  const command = await entry.load();
  const { operands, options } = readInput(words, name, command);
  const input = { operands, options: { ...globals, ...options } };
  if (input.options["help"] !== true) return await runCommandFor(command, input, host, running);
  const { commandHelp } = await import("./help.ts");
  return show(host, commandHelp(name, command));
}

async function runCommandFor(
  command: Command,
  input: CommandInput,
  host: ProgramHost,
  running: Running,
): Promise<number> {
  running.settings.json = input.options["json"] === true;
  running.settings.debug = input.options["debug"] === true;
  return (await command.run(input, contextFor(host, input, running.progress))) ?? 0;
}

async function loadRun(): Promise<Command> {
  return (await import("./commands/run.ts")).runCommand;
}

async function runNothing(globals: CommandInput["options"], host: ProgramHost): Promise<number> {
  const { programHelp } = await import("./help.ts");
  if (globals["help"] === true) return show(host, programHelp());
  host.stderr.write(programHelp());
  return EXIT_CODES.usage;
}

function show(host: ProgramHost, text: string): number {
  host.stdout.write(text);
  return 0;
}

async function runGroup(group: string, words: readonly string[], host: ProgramHost): Promise<number> {
  const { groupHelp } = await import("./help.ts");
  const [word] = words;
  if (word === "--help" || word === "-h") return show(host, groupHelp(group));
  if (word === undefined) {
    host.stderr.write(groupHelp(group));
    return EXIT_CODES.usage;
  }
  const { suggestName } = await import("../core/suggestion.ts");
  const near = suggestName(word, membersOf(group));
  throw new ToolingError("COMMAND_USAGE", `"${word}" is not a command of \`toolbox ${group}\``, {
    hint: near === undefined ? `There is: ${membersOf(group).join(", ")}.` : `Did you mean "${near}"?`,
  });
}

function readInput(words: readonly string[], name: string, command: Command): CommandInput {
  const options = { ...GLOBAL_OPTIONS, ...command.options };
  if (command.passThrough !== true) return parseOptions(words, options, `toolbox ${name}`);
  const { leading, rest } = splitLeadingOptions(words, options);
  return { ...parseOptions(leading, options, `toolbox ${name}`), operands: rest };
}

/** A word that is no verb is a command for the image, unless there is no image: then it is a typing mistake. */
async function requireRunnable(word: string, host: ProgramHost, { options }: CommandInput): Promise<void> {
  const { findWorkspace } = await import("../workspace/index.ts");
  if ((await findWorkspace(startOf(host, options))) !== undefined) return;
  const { suggestName } = await import("../core/suggestion.ts");
  const near = suggestName(word, Object.keys(COMMANDS));
  throw new ToolingError(
    "COMMAND_NOT_FOUND",
    `"${word}" is not a command of toolbox, and there is no image to run it in`,
    {
      hint:
        near === undefined
          ? "Change to a folder with toolbox.yaml or toolbox.lock, or run `toolbox init`."
          : `Did you mean \`toolbox ${near}\`? Otherwise change to a folder with toolbox.yaml, or run \`toolbox init\`.`,
    },
  );
}

function startOf({ cwd }: ProgramHost, options: CommandInput["options"]): string {
  const folder = options["workspace"];
  return typeof folder === "string" ? resolve(cwd, folder) : cwd;
}

function contextFor(host: ProgramHost, input: CommandInput, progress: ProgressHolder): CommandContext {
  const { options } = input;
  const json = options["json"] === true;
  const quiet = options["quiet"] === true;
  return {
    cwd: host.cwd,
    start: startOf(host, options),
    env: host.env,
    home: host.home,
    paths: machinePaths(host.env, host.home),
    get version() {
      return packageVersion();
    },
    terminal: host.terminal,
    signal: host.interruptions.signal,
    releaseSignals: () => host.interruptions.release(),
    endProgress: () => endProgress(progress),
    json,
    quiet,
    onProgress: quiet || options["no-progress"] === true ? () => {} : progressSink(host, progress),
    print: (line) => (json ? undefined : write(host.stdout, line, progress)),
    printExactly: (text) => host.stdout.write(text),
    printJson: (value) => (json ? host.stdout.write(`${JSON.stringify(value, null, 2)}\n`) : undefined),
    note: (line) => (quiet ? undefined : write(host.stderr, line, progress)),
    complain: (line) => write(host.stderr, line, progress),
  };
}

/** The view is loaded with the first event; events that come before it is there wait. */
function progressSink(host: ProgramHost, progress: ProgressHolder): CommandContext["onProgress"] {
  const early: ProgressEvent[] = [];
  const open = async (): Promise<void> => {
    const { openProgress } = await import("./progress.ts");
    if (progress.ended === true) return;
    progress.view = openProgress(host);
    for (const event of early.splice(0)) progress.view.show(event);
  };
  return (event) => {
    if (progress.ended === true) return;
    if (progress.view !== undefined) {
      progress.view.show(event);
      return;
    }
    early.push(event);
    if (early.length === 1) void open();
  };
}

/** Whole lines never land inside a progress bar. */
function write(output: Output, line: string, { view }: ProgressHolder): void {
  view?.clear();
  output.write(`${line}\n`);
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
