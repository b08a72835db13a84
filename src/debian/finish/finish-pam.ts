// SPDX-License-Identifier: Apache-2.0
import { textEntryOf } from "../package-file.ts";
import type { PackageTree } from "../package-tree.ts";
import type { FinishStep } from "./finish-step.ts";

const TYPES = ["auth", "account", "password", "session", "session-noninteractive"] as const;

type PamType = (typeof TYPES)[number];

interface PamProfile {
  readonly name: string;
  readonly fields: ReadonlyMap<string, string>;
}

interface PamModule {
  readonly profile: string;
  readonly lines: readonly string[];
}

/** /etc/pam.d/common-* as pam-auth-update(8) makes them from the profiles that packages bring. */
export const finishPam: FinishStep = async (tree) => {
  const profiles = await readProfiles(tree);
  const enabled = profiles.filter(({ fields }) => fields.get("Default") === "yes");
  for (const type of TYPES) {
    const template = await tree.readText(`usr/share/pam/common-${type}`);
    if (template === undefined) continue;
    const primary = listModules(enabled, type, "Primary");
    const additional = listModules(enabled, type, "Additional");
    const keyword = type === "session-noninteractive" ? "session" : type;
    const variable = type === "session-noninteractive" ? "session_nonint" : type;
    const text = template
      .replace(
        `$${variable}_primary\n`,
        primary.length === 0 ? `${keyword}\t${PERMIT}\n` : formatModules(primary, keyword),
      )
      .replace(`$${variable}_additional\n`, formatModules(additional, keyword));
    tree.putIfAbsent(textEntryOf(`etc/pam.d/common-${type}`, text));
    const state = [
      ...(primary.length === 0 ? [{ profile: "null", lines: [PERMIT] }] : primary),
      ...additional,
    ];
    tree.putIfAbsent(textEntryOf(`var/lib/pam/${type}`, state.map(formatState).join("")));
  }
  if (profiles.length > 0 && tree.has("etc/pam.d/common-auth")) {
    tree.putIfAbsent(textEntryOf("var/lib/pam/seen", profiles.map(({ name }) => `${name}\n`).join("")));
  }
};

const PERMIT = "[default=1]\t\t\tpam_permit.so";

async function readProfiles(tree: PackageTree): Promise<readonly PamProfile[]> {
  const profiles: PamProfile[] = [];
  for (const path of tree.listFiles("usr/share/pam-configs")) {
    const fields = parseProfile((await tree.readText(path)) ?? "");
    profiles.push({ name: path.slice(path.lastIndexOf("/") + 1), fields });
  }
  const priority = ({ fields }: PamProfile): number => Number(fields.get("Priority") ?? 0);
  return profiles.toSorted((a, b) => priority(b) - priority(a) || (a.name > b.name ? -1 : 1));
}

function parseProfile(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let last = "";
  for (const line of text.split("\n")) {
    const [, name, value = ""] = /^(\S+):\s*(.*?)\s*$/u.exec(line) ?? [];
    if (name !== undefined) {
      last = name.replace(/-Final$/u, "");
      fields.set(last, value);
    } else if (line.trim() !== "" && last !== "") {
      const before = fields.get(last) ?? "";
      fields.set(last, before === "" ? line.trim() : `${before}\n${line.trim()}`);
    }
  }
  return fields;
}

/** The first module of a block is asked first, so it has lines of its own for that place. */
function listModules(profiles: readonly PamProfile[], type: PamType, block: string): readonly PamModule[] {
  const field = type === "session-noninteractive" ? "Session" : `${type[0]?.toUpperCase()}${type.slice(1)}`;
  const modules: PamModule[] = [];
  for (const { name, fields } of profiles) {
    if (fields.get(`${field}-Type`) !== block) continue;
    if (type === "session-noninteractive" && fields.get("Session-Interactive-Only") === "yes") continue;
    const initial = modules.length === 0 ? fields.get(`${field}-Initial`) : undefined;
    const lines = initial ?? fields.get(field);
    if (lines !== undefined && lines !== "") modules.push({ profile: name, lines: lines.split("\n") });
  }
  return modules;
}

/** `end` jumps over the lines that are left of the block. */
function formatModules(modules: readonly PamModule[], keyword: string): string {
  const lines = modules.flatMap(({ lines }) => lines);
  return lines
    .map((line, index) => {
      const [, module = line, options = ""] = /^((?:\[[^\]]+\]|\w+)\s+\S+)\s*(.*)$/u.exec(line) ?? [];
      const jump = module.replaceAll("end", String(lines.length - index));
      return `${keyword}\t${jump} ${options.split(/\s+/u).join(" ")}\n`;
    })
    .join("");
}

function formatState({ profile, lines }: PamModule): string {
  return `Module: ${profile}\n${lines.join("\n")}\n`;
}
