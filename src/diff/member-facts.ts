// SPDX-License-Identifier: Apache-2.0
import type { TarMember, TarMemberType } from "../archive/index.ts";

/** What a layer says of one path, but for the content. */
export interface MemberFacts {
  /** `whiteout` hides the path, `opaque` all that lower layers have below it (image-spec v1.1.1, layer.md#whiteouts). */
  readonly type: TarMemberType | "whiteout" | "opaque";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, possibly with a fraction. */
  readonly mtime: number;
  /** Bytes of content. */
  readonly size: number;
  /** Of links. */
  readonly target?: string | undefined;
  /** Extended attributes and other records of PAX headers that none of the above tells. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Something that a path can differ in. */
export type FileAspect = "type" | "content" | "mode" | "owner" | "mtime" | "target" | "attributes";

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";
/** Records that are the member's own fields in another place. */
const FIELDS: ReadonlySet<string> = new Set(["path", "linkpath", "size", "uid", "gid", "mtime"]);

/** The path that a member is about, and what it says of it. */
export function factsOf(member: TarMember): { readonly path: string; readonly facts: MemberFacts } {
  const { mode, uid, gid, mtime, size, target, pax } = member;
  const attributes = Object.fromEntries(Object.entries(pax).filter(([name]) => !FIELDS.has(name)));
  const { path, type } = subjectOf(member);
  return { path, facts: { type, mode, uid, gid, mtime, size, target, attributes } };
}

/** All in which two members differ that can be seen without reading them. */
export function compareFacts(from: MemberFacts, to: MemberFacts): FileAspect[] {
  const aspects: readonly (readonly [FileAspect, boolean])[] = [
    ["type", from.type === to.type],
    ["target", from.target === to.target],
    ["mode", from.mode === to.mode],
    ["owner", from.uid === to.uid && from.gid === to.gid],
    ["mtime", from.mtime === to.mtime],
    ["attributes", isSameRecord(from.attributes, to.attributes)],
  ];
  return aspects.flatMap(([aspect, isSame]) => (isSame ? [] : [aspect]));
}

function isSameRecord(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

function subjectOf({ path, type }: TarMember): Pick<MemberFacts, "type"> & { readonly path: string } {
  const slash = path.lastIndexOf("/") + 1;
  const [folder, name] = [path.slice(0, slash), path.slice(slash)];
  if (name === OPAQUE) return { path: folder.slice(0, -1), type: "opaque" };
  // Other doubled prefixes are notes that aufs made for itself.
  if (!name.startsWith(WHITEOUT) || name.startsWith(WHITEOUT + WHITEOUT)) return { path, type };
  return { path: `${folder}${name.slice(WHITEOUT.length)}`, type: "whiteout" };
}
