// SPDX-License-Identifier: Apache-2.0
import type { EngineUnderTest } from "../engine-list.ts";

/** Where an engine honestly differs. */
interface ContractDifference {
  /** Titles of the cases that it changes. */
  readonly cases: readonly string[];
  /** `ENGINE USER` each. */
  readonly columns: readonly string[];
  /** What the cell says in place of `yes`. */
  readonly cell: string;
  /** One or two sentences for the footnote. */
  readonly note: string;
}

/** Every difference that the cases know of; each case that is named here checks the difference instead of the rule. */
export const DIFFERENCES = {
  "uid-zero": {
    cases: ["runs as the caller, who has a name, a group and a home"],
    columns: ["docker rootless", "runc plain"],
    cell: "uid 0",
    note: "Without root, runc can give one number, and insists that it be 0; rootless docker knows no `keep-id`. Inside, the command is `root` without any capability; outside, its files are the caller's.",
  },
  "read-only-image": {
    cases: ["may write into the image, and leaves nothing behind there"],
    columns: ["bubblewrap root", "bubblewrap plain", "runc root", "runc plain"],
    cell: "read-only",
    note: "The image is read-only there (bubblewrap before 0.11 has no throw-away overlay, and a runtime bundle names none); `/tmp`, `/var/tmp`, `/run`, HOME and `/work` are writable.",
  },
  "colon-and-comma": {
    cases: ["sees a folder whose name holds spaces, commas, colons and letters of any alphabet"],
    columns: ["podman root", "podman rootless"],
    cell: "not both",
    note: "podman's options can carry a comma or a colon in a path, not both: such a mount is refused with that reason before anything starts.",
  },
  "no-limits": {
    cases: ["has no more memory, CPU time and processes than the session allows"],
    columns: [
      "docker rootless",
      "podman rootless",
      "bubblewrap root",
      "bubblewrap plain",
      "namespaces root",
      "namespaces plain",
      "runc plain",
    ],
    cell: "refused",
    note: "Limits need a cgroup that the engine may write to. A session with limits is refused with that reason; it never runs without them. Rootless docker and podman keep them where the machine has unified cgroups (v2).",
  },
} as const satisfies Readonly<Record<string, ContractDifference>>;

/** Names one of {@link DIFFERENCES}. */
export type DifferenceName = keyof typeof DIFFERENCES;

/** How a column is called in {@link DIFFERENCES}. */
export function columnOf({ name, user }: Pick<EngineUnderTest, "name" | "user">): string {
  return `${name} ${user}`;
}

/** Whether a difference is declared for an engine and user. crun is built as runc is. */
export function isDeclared(name: DifferenceName, engine: Pick<EngineUnderTest, "name" | "user">): boolean {
  const { columns }: ContractDifference = DIFFERENCES[name];
  return columns.includes(columnOf(engine));
}
