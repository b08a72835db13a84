// SPDX-License-Identifier: Apache-2.0
import type { CommandContext, CommandInput, CommandOption } from "./command.ts";

/** The option by which a command refuses to change toolbox.lock. */
export const FROZEN_OPTION: Readonly<Record<string, CommandOption>> = {
  frozen: { type: "boolean", summary: "Fail if toolbox.lock would change (the default where CI=true)" },
  "no-frozen": { type: "boolean", summary: "Allow changes to toolbox.lock where CI=true" },
};

/** Whether the lock must stay as it is: by option, else by `CI=true`. */
export function isFrozen(options: CommandInput["options"], { env }: Pick<CommandContext, "env">): boolean {
  if (options["frozen"] === true) return true;
  if (options["no-frozen"] === true) return false;
  return env["CI"] === "true" || env["CI"] === "1";
}
