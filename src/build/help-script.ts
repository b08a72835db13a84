// SPDX-License-Identifier: Apache-2.0
import type { ImageTool } from "./image-tool.ts";
import { cleanLine, quoteShellWord } from "./shell-text.ts";

/**
 * The text of `/usr/local/bin/toolbox-help`: a POSIX shell script that prints what was known at build time and
 * starts no other program. `tools` are shown in the given order.
 */
export function formatHelpScript(image: string, tools: readonly ImageTool[]): string {
  return [
    "#!/bin/sh",
    "# Made when this image was built; it lists what is inside.",
    "b='' d='' n=''",
    'if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM-}" != dumb ]; then',
    String.raw`  b=$(printf '\033[1m') d=$(printf '\033[2m') n=$(printf '\033[0m')`,
    "fi",
    String.raw`row() { printf '  %s%s%s  %s  %s\n' "$b" "$1" "$n" "$2" "$3"; }`,
    String.raw`example() { printf '  %s%s%s  %s\n' "$b" "$1" "$n" "$d# $2$n"; }`,
    String.raw`title() { printf '%s%s%s\n' "$b" "$1" "$n"; }`,
    String.raw`line() { printf '%s\n' "$1"; }`,
    ...formatFunction("overview", formatOverview(image, tools)),
    'case "${1-}" in',
    "  '') overview ;;",
    "  -h | --help)",
    "    line 'Usage: toolbox-help [TOOL]'",
    "    line 'Lists the tools of this image, or tells about one of them.' ;;",
    ...tools.flatMap(formatCase),
    "  *)",
    String.raw`    printf 'toolbox-help: "%s" is not in this image; toolbox-help alone lists what is\n' "$1" >&2`,
    "    exit 1 ;;",
    "esac",
    "",
  ].join("\n");
}

/** The lines that greet an interactive shell: the image, its tools, and where to read on. */
export function formatBannerLines(image: string, tools: readonly ImageTool[]): readonly string[] {
  const names = tools.map(({ name, version }) => cleanLine(`${name} ${version}`));
  return [...wrapWords(`${cleanLine(image)}:`, names), "toolbox-help shows what each is for, with examples."];
}

function formatOverview(image: string, tools: readonly ImageTool[]): readonly string[] {
  const nameWidth = widest(tools.map(({ name }) => name));
  const versionWidth = widest(tools.map(({ version }) => cleanLine(version)));
  const rows = tools.map(({ name, version, summary }) =>
    call("row", name.padEnd(nameWidth), cleanLine(version).padEnd(versionWidth), cleanLine(summary)),
  );
  const examples = tools.flatMap((tool) => tool.examples.slice(0, 1));
  return [
    call("title", cleanLine(image)),
    ...rows,
    ...(examples.length === 0
      ? []
      : [call("line", ""), call("title", "Examples"), ...formatExamples(examples)]),
    call("line", ""),
    call("line", "toolbox-help TOOL tells more about one of them."),
  ];
}

function formatCase(tool: ImageTool): readonly string[] {
  const names = [...new Set([tool.name, ...tool.binaries])].map(quoteShellWord).join(" | ");
  const facts = [tool.homepage ?? "", tool.license, tool.binaries.join(", ")].map(cleanLine);
  const labels = ["home", "license", "commands"];
  return [
    `  ${names})`,
    `    ${call("title", cleanLine(`${tool.name} ${tool.version}`))}`,
    `    ${call("line", cleanLine(tool.summary))}`,
    ...facts.flatMap((fact, index) =>
      fact === "" ? [] : [`    ${call("line", `  ${(labels[index] ?? "").padEnd(9)} ${fact}`)}`],
    ),
    ...(tool.examples.length === 0 ? [] : [`    ${call("title", "Examples")}`]),
    ...formatExamples(tool.examples).map((text) => `    ${text}`),
    "    ;;",
  ];
}

function formatExamples(examples: ImageTool["examples"]): readonly string[] {
  const width = Math.min(48, widest(examples.map(({ command }) => cleanLine(command))));
  return examples.map(({ command, description }) =>
    call("example", cleanLine(command).padEnd(width), cleanLine(description)),
  );
}

function formatFunction(name: string, body: readonly string[]): readonly string[] {
  return [`${name}() {`, ...body.map((text) => `  ${text}`), "}"];
}

function call(name: string, ...words: readonly string[]): string {
  return [name, ...words.map((word) => (word === "" ? "''" : quoteShellWord(word)))].join(" ");
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

function wrapWords(head: string, words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let line = head;
  for (const [index, word] of words.entries()) {
    const text = index === words.length - 1 ? word : `${word},`;
    if (line.length + 1 + text.length > 78) {
      lines.push(line);
      line = ` ${text}`;
    } else line = `${line} ${text}`;
  }
  return [...lines, line];
}
