/**
 * Keys of the shared memory as paths, and back. Slashes in a key separate directories. What a key may contain and a
 * path may not is escaped, in exactly one way, so that every key has its own path: an empty part is `%`, the parts `.`
 * and `..` are `%2E` and `%2E%2E`, NUL is `%00`. A `%` stands for itself, unless it would be taken for one of these;
 * then it is `%25`. Pure.
 */
import { StarfishError } from "../../../base/errors.ts";

/**
 * The name of a key's value if other keys continue that key: with `a` and `a/b`, `/a` is a directory, and `/a/%=` is
 * the value of `a`.
 */
export const OWN_VALUE = "%=";

const LOOKS_ESCAPED = /%(?:25|00|2e)/i;
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ["", "%"],
  [".", "%2E"],
  ["..", "%2E%2E"],
]);
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ["%25", "%"],
  ["%00", "\0"],
  ["%2e", "."],
]);

/** A part of a key as a part of a path. */
export function escapePart(part: string): string {
  const special = SPECIAL.get(part);
  if (special !== undefined) return special;
  const isMistaken = part === "%" || part === OWN_VALUE || LOOKS_ESCAPED.test(part);
  return (isMistaken ? part.replaceAll("%", "%25") : part).replaceAll("\0", "%00");
}

function unescapePart(name: string): string {
  if (name === "%") return "";
  return name.replaceAll(/%(?:25|00|2e)/gi, (escape) => MEANINGS.get(escape.toLowerCase()) ?? escape);
}

/** The path of a key. It is also the prefix of the paths of keys that continue it. */
export function pathOfKey(key: string): string {
  return `/${key.split("/").map(escapePart).join("/")}`;
}

/** The key that a path names. Throws "malformed" if there can be no such key. */
export function keyOfPath(path: string): string {
  if (!path.isWellFormed()) throw new StarfishError("malformed", "a key of the shared memory is Unicode text");
  const names = path.split("/").slice(1);
  const isOwnValue = names.at(-1) === OWN_VALUE && names.length > 1;
  return (isOwnValue ? names.slice(0, -1) : names).map(unescapePart).join("/");
}

/** The prefix of the keys in a directory. */
export function prefixOfDirectory(path: string): string {
  return path === "/" ? "" : `${keyOfPath(path)}/`;
}
