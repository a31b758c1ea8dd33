/**
 * Paths of the tree: names with "/" between them, but none at either end; the root is "". Names are stored in Unicode
 * normal form C (UAX 15), since a Mac's file dialog writes "ü" in two code points and a keyboard in one, and nobody
 * could tell two such files apart. Otherwise names stay as given; upper and lower case differ.
 */
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { PATH_BYTES_MAX } from "./limits.ts";

export interface PathParts {
  /** Path of the directory. */
  readonly directory: string;
  readonly name: string;
}

/** The path that a text means, from the root; "." and ".." are resolved. Throws "malformed", "too-large". */
export function parsePath(text: string): string {
  if (text.includes("\0") || !text.isWellFormed()) {
    throw new StarfishError("malformed", `no file can be called ${JSON.stringify(text)}`);
  }
  const names: string[] = [];
  for (const name of text.normalize("NFC").split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") names.pop();
    else names.push(name);
  }
  return checkLength(names.join("/"));
}

export function isShortEnough(path: string): boolean {
  return path.length * 3 <= PATH_BYTES_MAX || utf8(path).length <= PATH_BYTES_MAX;
}

/** Throws "too-large". */
export function checkLength(path: string): string {
  if (!isShortEnough(path)) {
    throw new StarfishError("too-large", `this path has more than ${PATH_BYTES_MAX} bytes: ${path.slice(0, 60)}…`);
  }
  return path;
}

/** The path as people write it, with a slash at its beginning. */
export function absolute(path: string): string {
  return `/${path}`;
}

/** Undefined for the root. */
export function placeOf(path: string): PathParts | undefined {
  if (path === "") return undefined;
  const at = path.lastIndexOf("/");
  return { directory: path.slice(0, Math.max(0, at)), name: path.slice(at + 1) };
}

export function join(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

/** The new path of `from`, or of a path below it, once `from` has become `to`. Throws "too-large". */
export function moved(path: string, from: string, to: string): string {
  return checkLength(to + path.slice(from.length));
}

/** Whether a path is `ancestor` or below it. */
export function isWithin(path: string, ancestor: string): boolean {
  return ancestor === "" || path === ancestor || path.startsWith(`${ancestor}/`);
}

/** Whether this is a path as `parsePath` gives it. */
export function isPath(path: string): boolean {
  return path === "" || path.split("/").every((name) => name !== "" && name !== "." && name !== "..");
}
