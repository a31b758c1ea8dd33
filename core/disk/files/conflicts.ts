/**
 * Resolves a name that was written on several sides at once: the latest write is shown under the name, the others
 * beside it as conflict copies. Their names follow from their own versions, so that all nodes give them the same ones.
 * Writes of the same content are no conflict. If a directory has the name, all files of that name are conflict copies.
 * Pure.
 */
import type { Directory } from "./tree.ts";
import { versionOf, writtenAtMs } from "./tree-key.ts";
import type { FileValue } from "./tree-value.ts";

/** A file as it is listed. */
export interface Shown {
  readonly name: string;
  /** The name under which it was written. */
  readonly base: string;
  /** Its key, and those of older writes of the same content. */
  readonly keys: readonly [string, ...string[]];
  readonly isConflict: boolean;
}

const CONFLICT = " (conflict ";

type ValueOf = (key: string) => FileValue | undefined;

/** All files of a directory, in no order. */
export function* shownIn(directory: Directory, valueOf: ValueOf): Generator<Shown, void, undefined> {
  for (const [name, keys] of directory.files) yield* shownOf(name, keys, directory, valueOf);
}

/** The file that is shown under a name. */
export function shownAs(name: string, directory: Directory, valueOf: ValueOf): Shown | undefined {
  const keys = directory.files.get(name);
  if (keys !== undefined) {
    const [first] = shownOf(name, keys, directory, valueOf);
    if (first?.name === name) return first;
  }
  return name.includes(CONFLICT) ? conflictAs(name, directory, valueOf) : undefined;
}

/** The conflict copies of a name, as they are shown. */
export function conflictsOf(name: string, directory: Directory, valueOf: ValueOf): Shown[] {
  const keys = directory.files.get(name) ?? [];
  return shownOf(name, keys, directory, valueOf).filter(({ isConflict }) => isConflict);
}

function conflictAs(name: string, directory: Directory, valueOf: ValueOf): Shown | undefined {
  for (const base of basesOf(name)) {
    const keys = directory.files.get(base);
    if (keys === undefined || (keys.length < 2 && !directory.children.has(base))) continue;
    const found = shownOf(base, keys, directory, valueOf).find((shown) => shown.name === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The names of which this may be a conflict copy, as `freeName` makes them. */
function* basesOf(name: string): Generator<string, void, undefined> {
  for (let at = name.indexOf(CONFLICT); at >= 0; at = name.indexOf(CONFLICT, at + 1)) {
    const end = name.indexOf(")", at);
    if (end >= 0) yield name.slice(0, at) + name.slice(end + 1);
  }
}

function shownOf(base: string, keys: readonly string[], directory: Directory, valueOf: ValueOf): Shown[] {
  const [only] = keys;
  const isDirectory = directory.children.has(base);
  if (only === undefined) return [];
  if (keys.length === 1 && !isDirectory) return [{ name: base, base, keys: [only], isConflict: false }];
  const byContent = new Map<string, [string, ...string[]]>();
  for (const key of keys) {
    const cid = valueOf(key)?.cid ?? key;
    const same = byContent.get(cid);
    if (same === undefined) byContent.set(cid, [key]);
    else same.push(key);
  }
  const shown: Shown[] = [];
  const used = new Set<string>();
  for (const group of byContent.values()) {
    const isConflict = isDirectory || shown.length > 0;
    const name = isConflict ? freeName(base, group[0], valueOf(group[0])?.by ?? "", directory, used) : base;
    used.add(name);
    shown.push({ name, base, keys: group, isConflict });
  }
  return shown;
}

/** `report (conflict 2026-11-22 calm-otter).txt`; with a number if that name is taken. */
function freeName(base: string, key: string, by: string, directory: Directory, used: ReadonlySet<string>): string {
  const dot = base.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [base.slice(0, dot), base.slice(dot)] : [base, ""];
  const date = new Date(writtenAtMs(versionOf(key))).toISOString().slice(0, 10);
  const writer = by.replaceAll(/[\0/()]/g, "-").normalize("NFC");
  for (let count = 1; ; count++) {
    const name = `${stem}${CONFLICT}${date} ${writer}${count === 1 ? "" : ` ${count}`})${extension}`;
    if (!used.has(name) && !directory.files.has(name) && !directory.children.has(name)) return name;
  }
}
