/**
 * Keys of the tree: directory, NUL, name, NUL, kind, version. Names have no NUL, so the keys of a directory's own
 * entries are neighbours and no prefix of any other's. The keys of one name are ordered by when they were written.
 *
 * A version says when and by whom the content was written, and that stays when the file is renamed; then it also says
 * when and by whom it was moved here. So no key is ever written a second time. A node that deletes a key deletes only
 * what it has seen, and nothing that came to the same place later. (When keys could come back, two opposite moves at
 * the same moment lost the file.)
 */
import { stampAt, timeOf } from "../../memory/version.ts";
import type { FileKind } from "../types.ts";
import { KEY_AHEAD_MS_MAX } from "./limits.ts";
import { isPath, join } from "./path.ts";

export interface TreeKey {
  readonly directory: string;
  readonly name: string;
  readonly kind: FileKind;
  /** Ordered as the writes are: greater is later. */
  readonly version: string;
}

const NUL = "\0";
/** Digits to base 36 of 53 bits, and of 48. */
const STAMP_DIGITS = 11;
const WRITER_DIGITS = 10;
const VERSION_CHARS: number = STAMP_DIGITS + WRITER_DIGITS;
/** A writer is a number of 48 bits. */
const WRITERS: number = 2 ** 48;
const VERSION = /^(?:[0-9a-z]{21}){1,2}$/;

/** @param stamp As the map's: ms since 1970 times 2048, plus a count. */
export function versionText(stamp: number, writer: number): string {
  return stamp.toString(36).padStart(STAMP_DIGITS, "0") + writer.toString(36).padStart(WRITER_DIGITS, "0");
}

export function isVersion(text: string): boolean {
  if (!VERSION.test(text)) return false;
  for (let at = 0; at < text.length; at += VERSION_CHARS) {
    const part = text.slice(at, at + VERSION_CHARS);
    if (stampOf(part) > Number.MAX_SAFE_INTEGER || writerOf(part) >= WRITERS) return false;
  }
  return true;
}

/** The version in a key that is known to be one of the tree. */
export function versionOf(key: string): string {
  return key.slice(key.lastIndexOf(NUL) + 2);
}

/** The version of a content that is moved, at `stamp` by `writer`. */
export function movedVersion(version: string, stamp: number, writer: number): string {
  return version.slice(0, VERSION_CHARS) + versionText(stamp, writer);
}

/** When it was put under this name: written, or moved here. The greatest of its stamps. */
function placedStamp(version: string): number {
  return Math.max(stampOf(version), version.length > VERSION_CHARS ? stampOf(version.slice(VERSION_CHARS)) : 0);
}

/**
 * Whether the version in a key fits the stamp of its entry. A key that claims to be later than its entry would win over
 * all writes until that time.
 */
export function isInTime(version: string, entryStamp: number): boolean {
  return placedStamp(version) <= entryStamp + stampAt(KEY_AHEAD_MS_MAX);
}

export function stampOf(version: string): number {
  return Number.parseInt(version.slice(0, STAMP_DIGITS), 36);
}

export function writerOf(version: string): number {
  return Number.parseInt(version.slice(STAMP_DIGITS, VERSION_CHARS), 36);
}

export function writtenAtMs(version: string): number {
  return timeOf(stampOf(version));
}

export function treeKey({ directory, name, kind, version }: TreeKey): string {
  return `${namePrefix(directory, name)}${kind === "file" ? "f" : "d"}${version}`;
}

/** The common prefix of all keys of one name. */
export function namePrefix(directory: string, name: string): string {
  return directory + NUL + name + NUL;
}

/** Undefined for what no honest node writes. */
export function parseTreeKey(key: string): TreeKey | undefined {
  const first = key.indexOf(NUL);
  const second = key.indexOf(NUL, first + 1);
  const kind = key[second + 1];
  const version = key.slice(second + 2);
  if (first < 0 || second < 0 || (kind !== "f" && kind !== "d") || !isVersion(version)) return undefined;
  const directory = key.slice(0, first);
  const name = key.slice(first + 1, second);
  if (name === "" || name.includes("/") || !isPath(join(directory, name)) || !isPath(directory)) return undefined;
  if (key.normalize("NFC") !== key) return undefined;
  return { directory, name, kind: kind === "f" ? "file" : "directory", version };
}
