/**
 * Keys of the tree: directory, NUL, name, NUL, kind, version. Names have no NUL, so the keys of a directory's own entries
 * stand together and are no prefix of any other's; those of one name are ordered by when they were written.
 *
 * The version in the key is that of the write which made the content, not of the entry: it stays when the file is renamed,
 * and two nodes that rename the same file to the same name write the same key.
 */
import { timeOf } from "../../memory/version.ts";
import type { FileKind } from "../types.ts";
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
const VERSION = /^[0-9a-z]{21}$/;

/** @param stamp As the map's: ms since 1970 times 2048, plus a count. */
export function versionText(stamp: number, writer: number): string {
  return stamp.toString(36).padStart(STAMP_DIGITS, "0") + writer.toString(36).padStart(WRITER_DIGITS, "0");
}

export function isVersion(text: string): boolean {
  return VERSION.test(text);
}

/** The version in a key that is known to be one of the tree. */
export function versionOf(key: string): string {
  return key.slice(-STAMP_DIGITS - WRITER_DIGITS);
}

export function stampOf(version: string): number {
  return Number.parseInt(version.slice(0, STAMP_DIGITS), 36);
}

export function writerOf(version: string): number {
  return Number.parseInt(version.slice(STAMP_DIGITS), 36);
}

export function writtenAtMs(version: string): number {
  return timeOf(stampOf(version));
}

export function treeKey({ directory, name, kind, version }: TreeKey): string {
  return `${namePrefix(directory, name)}${kind === "file" ? "f" : "d"}${version}`;
}

/** What the keys of one name begin with. */
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
