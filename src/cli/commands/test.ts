// SPDX-License-Identifier: Apache-2.0
import { type CheckResult, countResults, formatJunit, formatTap, isGreen } from "../../checks/index.ts";
import { ToolingError } from "../../core/error.ts";
import { openLayoutStore } from "../../oci/index.ts";
import { formatCheckTable } from "../check-table.ts";
import { type CheckedImage, findCheckedImages } from "../checked-image.ts";
import type { Command, CommandContext, CommandInput } from "../command.ts";
import { EXIT_CODES } from "../exit-code.ts";
import { formatColumns } from "../measure.ts";
import { choiceOption, listOption, platformsOption, textOption } from "../option-value.ts";
import { runChecks } from "../run-checks.ts";

const FORMATS = ["table", "tap", "junit"] as const;

/** `toolbox test` */
export const testCommand: Command = {
  summary: "Run every tool of an image: its version check and the tests of its definition",
  usage: "[IMAGE...]",
  details: [
    "IMAGE is an image of the workspace, or any reference. Default: all that the workspace builds, else the one it uses.",
    "Each command runs in the image with a folder of its own, and without a network unless its test asks for one.",
    "Programs for the other CPU run by qemu. Where there is none, the check is not run: that is shown, and is no failure",
    "unless --require-all is given. The exit code is 1 when a check failed, or when none could run.",
  ],
  options: {
    platform: {
      type: "string",
      multiple: true,
      value: "OS/CPU",
      summary: "Only this platform; may be repeated",
    },
    tool: { type: "string", multiple: true, value: "NAME", summary: "Only this tool; may be repeated" },
    format: { type: "string", value: "NAME", summary: "table, tap or junit. Default: table" },
    engine: {
      type: "string",
      value: "NAME",
      summary: "docker, podman, nerdctl or embedded. Default: TOOLBOX_ENGINE, else what is there",
    },
    "require-all": { type: "boolean", summary: "Fail when a check could not run" },
    "dry-run": { type: "boolean", summary: "Show what would be run" },
  },
  examples: [
    { command: "toolbox test", summary: "all images of the workspace, all platforms" },
    {
      command: "toolbox test tooling-k8s --tool helm --platform linux/arm64",
      summary: "one tool on one CPU",
    },
    { command: "toolbox test --require-all --format junit > report.xml", summary: "in CI" },
  ],
  async run({ operands, options }, context) {
    const format = chooseFormat(options, context);
    const store = await openLayoutStore(context.paths.store);
    const selection = {
      images: operands,
      platforms: platformsOption(options),
      tools: listOption(options, "tool"),
    };
    const images = await findCheckedImages(selection, store, context);
    if (options["dry-run"] === true) return showPlan(images, context);
    const results = await runChecks(images, { store, engine: textOption(options, "engine") }, context);
    context.endProgress();
    showResults(results, format, context);
    const isGood = isGreen(results, { requireAll: options["require-all"] === true });
    return isGood ? 0 : EXIT_CODES.failed;
  },
};

type Format = (typeof FORMATS)[number];

function chooseFormat(options: CommandInput["options"], { json }: CommandContext): Format {
  const format = choiceOption(options, "format", FORMATS);
  if (format === undefined || !json) return format ?? "table";
  throw new ToolingError("COMMAND_USAGE", "--format and --json are two forms of the same result", {
    hint: "Leave one of them out.",
  });
}

function showPlan(images: readonly CheckedImage[], { print, printJson }: CommandContext): number {
  const rows = images.flatMap(({ name, image, checks, unknown }) => [
    ...checks.map((check) => [name, image.platform, check.tool, check.name, check.command.join(" ")]),
    ...unknown.map((tool) => [name, image.platform, tool, "version", "(unknown tool)"]),
  ]);
  for (const line of formatColumns([["IMAGE", "PLATFORM", "TOOL", "CHECK", "COMMAND"], ...rows])) print(line);
  printJson({
    images: images.map(({ name, image, checks, unknown }) => ({
      image: name,
      digest: image.digest,
      platform: image.platform,
      checks,
      unknown,
    })),
  });
  return 0;
}

function showResults(
  results: readonly CheckResult[],
  format: Format,
  { json, print, printExactly, printJson }: CommandContext,
): void {
  printJson({
    ...countResults(results),
    results: results.map(({ outcome, milliseconds, ...result }) => ({
      ...result,
      ...outcome,
      milliseconds: Math.round(milliseconds),
    })),
  });
  if (json) return;
  if (format === "table") for (const line of formatCheckTable(results)) print(line);
  else printExactly(format === "tap" ? formatTap(results) : formatJunit(results));
}
