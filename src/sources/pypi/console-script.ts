// SPDX-License-Identifier: Apache-2.0

/** A program that a package declares in `entry_points.txt` (entry points specification). */
export interface ConsoleScript {
  readonly name: string;
  /** Dotted path of the module. */
  readonly module: string;
  /** Dotted path of what is called in it. */
  readonly attribute: string;
}

const IDENTIFIER = "[\\p{L}_][\\p{L}\\p{N}_]*";
const DOTTED = `${IDENTIFIER}(?:\\.${IDENTIFIER})*`;
const REFERENCE = new RegExp(`^(${DOTTED})\\s*:\\s*(${DOTTED})\\s*(?:\\[[^\\]]*\\])?$`, "u");
const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]*$/;

/** The `[console_scripts]` of an `entry_points.txt`, by name. What is no reference to a function is left out. */
export function parseConsoleScripts(text: string): readonly ConsoleScript[] {
  const scripts = new Map<string, ConsoleScript>();
  let section = "";
  for (const line of text.split(/\r?\n/)) {
    const content = line.trim();
    if (content === "" || /^[#;]/.test(content)) continue;
    const heading = /^\[([^\]]+)\]$/.exec(content)?.[1];
    if (heading !== undefined) section = heading.trim();
    if (heading !== undefined || section !== "console_scripts") continue;
    const script = parseScript(content);
    if (script !== undefined) scripts.set(script.name, script);
  }
  return [...scripts.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function parseScript(line: string): ConsoleScript | undefined {
  const [, name = "", reference = ""] = /^([^=]*?)\s*=\s*(.*)$/.exec(line) ?? [];
  const [, module, attribute] = REFERENCE.exec(reference) ?? [];
  if (!NAME.test(name) || module === undefined || attribute === undefined) return undefined;
  return { name, module, attribute };
}

/** First line of every script: `-I` keeps PYTHONPATH and the working directory out. */
function formatShebang(interpreter: string): string {
  return `#!${interpreter} -I\n`;
}

/** The program of an entry point. */
export function formatConsoleScript({ module, attribute }: ConsoleScript, interpreter: string): string {
  const [object = attribute] = attribute.split(".", 1);
  return `${formatShebang(interpreter)}import sys

from ${module} import ${object}

if __name__ == "__main__":
    sys.exit(${attribute}())
`;
}

/** A script of a wheel with its placeholder interpreter replaced; one for another interpreter is left as it is. */
export function rewriteShebang(script: Uint8Array, interpreter: string): Uint8Array {
  const end = script.indexOf(0x0a);
  const line = Buffer.from(script.subarray(0, end < 0 ? script.byteLength : end)).toString("latin1");
  if (!/^#!(?:\S*\/)?pythonw?[\d.]*\s*$/.test(line)) return script;
  const rest = end < 0 ? new Uint8Array() : script.subarray(end + 1);
  return Buffer.concat([Buffer.from(formatShebang(interpreter)), rest]);
}
