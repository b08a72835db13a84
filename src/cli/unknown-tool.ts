// SPDX-License-Identifier: Apache-2.0
import { ToolingError } from "../core/error.ts";
import { suggestName } from "../core/suggestion.ts";

/** A tool that was named on the command line and that nobody knows. */
export function unknownToolError(name: string, known: Iterable<string>): ToolingError {
  const near = suggestName(name, known);
  return new ToolingError("TOOL_UNKNOWN", `tool "${name}" is not known here`, {
    hint: near === undefined ? "Run `toolbox tools --catalog` to see all tools." : `Did you mean "${near}"?`,
  });
}
