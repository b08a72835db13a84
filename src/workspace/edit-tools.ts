// SPDX-License-Identifier: Apache-2.0
import { type Document, isMap, isScalar, isSeq } from "yaml";
import { ToolingError } from "../core/error.ts";
import { appendAtEnd, appendItem, appendPair, applyEdits, replaceNode, type TextEdit } from "./text-edit.ts";
import { parseYamlText, type YamlText } from "../catalog/index.ts";

interface ToolEdit {
  readonly name: string;
  readonly range: string;
  readonly image?: string | undefined;
}

/** Edits the text of toolbox.yaml in place, so that every byte that does not change stays. */
export function editTools(text: string, file: string, { name, range, image }: ToolEdit): string {
  const yaml = parseYamlText(text, file, "WORKSPACE_INVALID");
  // Always in quotes: an unquoted 1.30 would be the number 1.3.
  const wish = JSON.stringify(range);
  return applyEdits(text, [
    ...editWish(text, yaml.document, name, wish),
    ...editImage(text, yaml, name, image),
  ]);
}

function editWish(text: string, document: Document.Parsed, name: string, wish: string): TextEdit[] {
  const tools = document.get("tools", true);
  const present = document.getIn(["tools", name], true);
  if (isScalar(present)) return [replaceNode(present, wish)];
  if (isMap(present)) {
    const version = present.get("version", true);
    return [isScalar(version) ? replaceNode(version, wish) : appendPair(text, present, "version", wish)];
  }
  if (isMap(tools)) return [appendPair(text, tools, name, wish)];
  if (isScalar(tools)) return [{ ...replaceNode(tools, `\n  ${name}: ${wish}`) }];
  return [appendAtEnd(text, `tools:\n  ${name}: ${wish}`)];
}

function editImage(text: string, yaml: YamlText, name: string, image: string | undefined): TextEdit[] {
  const { document } = yaml;
  const target = image ?? firstKey(document.get("images", true));
  if (target === undefined) return [];
  const found = document.getIn(["images", target], true);
  if (!isMap(found)) {
    throw new ToolingError("WORKSPACE_INVALID", `image "${target}" is not in this file`, {
      hint: "Name one of its images with --image.",
      position: yaml.positionOf(["images"]),
    });
  }
  const tools = found.get("tools", true);
  if (!isSeq(tools)) return [appendPair(text, found, "tools", `[${name}]`)];
  const has = tools.items.some((item) => isScalar(item) && item.value === name);
  return has ? [] : [appendItem(text, tools, name)];
}

function firstKey(map: unknown): string | undefined {
  if (!isMap(map)) return undefined;
  const key: unknown = map.items[0]?.key;
  return isScalar(key) ? String(key.value) : undefined;
}
