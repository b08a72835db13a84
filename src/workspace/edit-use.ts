// SPDX-License-Identifier: Apache-2.0
import { isScalar } from "yaml";
import { ToolingError } from "../core/error.ts";
import { parseYamlText } from "../catalog/index.ts";
import { applyEdits, replaceNode } from "./text-edit.ts";

/** Writes another reference where `use:` stands, in the quotes that are there; every other byte stays. */
export function editUse(text: string, file: string, reference: string): string {
  const yaml = parseYamlText(text, file, "WORKSPACE_INVALID");
  const node = yaml.document.get("use", true);
  if (!isScalar(node)) {
    throw new ToolingError("WORKSPACE_INVALID", "`use:` is not written as one plain word", {
      hint: "Write the reference itself after `use:`.",
      position: yaml.positionOf(["use"]),
    });
  }
  const quote = { QUOTE_DOUBLE: '"', QUOTE_SINGLE: "'" }[String(node.type)] ?? "";
  return applyEdits(text, [replaceNode(node, `${quote}${reference}${quote}`)]);
}
