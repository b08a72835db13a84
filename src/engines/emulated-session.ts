// SPDX-License-Identifier: Apache-2.0
import { open } from "node:fs/promises";
import { ToolingError } from "../core/error.ts";
import type { Session } from "../session/index.ts";
import { findCommand } from "./resolve-command.ts";
import type { UnpackedImage } from "./unpacked-image.ts";

/** Where the emulator stands inside. */
const EMULATOR_TARGET = "/run/toolbox-emulator";

/** As many scripts that name scripts as Linux follows. */
const SCRIPT_LIMIT = 4;

/**
 * Shows an emulator of another CPU (a static `qemu-CPU-static`) inside. For {@link emulateCommand}; before mounts are
 * placed.
 */
export function mountEmulator(session: Session, emulator: string): Session {
  const mount = { source: emulator, target: EMULATOR_TARGET, readOnly: true };
  return { ...session, mounts: [...session.mounts, mount] };
}

/**
 * A placed session whose command starts in the emulator: it is looked up and its script's interpreter read, as the kernel
 * would, because the emulator takes a program and nothing else. Commands that the program starts in turn need the
 * kernel's help, which is not there.
 *
 * @returns Absent: the image does not hold the command.
 * @throws {ToolingError} `SESSION_INVALID` for scripts that name each other
 */
export async function emulateCommand(session: Session, root: string): Promise<Session | undefined> {
  const [name = "", ...rest] = session.argv;
  let found = await findCommand(session, root, name);
  let words = rest;
  let shownName = name;
  for (let depth = 0; found !== undefined; depth += 1) {
    const script = await readInterpreter(found.file);
    if (script === undefined) {
      return { ...session, argv: [EMULATOR_TARGET, "-0", shownName, found.path, ...words] };
    }
    if (depth === SCRIPT_LIMIT) throw endless(name);
    words = [...script.words, found.path, ...words];
    shownName = script.program;
    found = await findCommand(session, root, script.program);
  }
  return undefined;
}

/** An image none of whose own programs may start a command: they are of the other CPU, too. */
export function withoutLaunchers(image: UnpackedImage): UnpackedImage {
  return { ...image, resetsSignals: false, dropsCapabilities: false };
}

/** What the first line of a script names. Absent: it is no script. */
async function readInterpreter(
  file: string,
): Promise<{ readonly program: string; readonly words: readonly string[] } | undefined> {
  const handle = await open(file);
  try {
    // As much as Linux reads.
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    const line = buffer.subarray(0, bytesRead).toString("latin1").split("\n", 1)[0] ?? "";
    const [, program, word] = /^#!\s*(\S+)(?:[ \t]+(\S.*?))?\s*$/.exec(line) ?? [];
    return program === undefined ? undefined : { program, words: word === undefined ? [] : [word] };
  } finally {
    await handle.close();
  }
}

function endless(name: string): ToolingError {
  return new ToolingError("SESSION_INVALID", `"${name}" is a script for a script for a script`, {
    hint: "Run what it runs.",
  });
}
