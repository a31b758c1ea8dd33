/** Walks paths as a program means them: from a directory that it has open, and never out of it. */
import { LINKS_MAX } from "./limits.ts";
import { WasiError } from "../sandbox/wasi/errno.ts";

export interface Walk {
  /** Absolute and normal. */
  readonly path: string;
  /** The path ended with a slash, so only a directory will do. */
  readonly isDirectory: boolean;
}

export interface WalkFrom {
  /** Absolute and normal. */
  readonly path: string;
  /** The number of parts that `..` can't leave. */
  readonly floor: number;
}

/**
 * Walks a path. `readLink` gives the target of a symbolic link, and undefined for everything else. Throws WasiError.
 */
export async function walk(
  from: WalkFrom,
  path: string,
  follow: boolean,
  readLink: (path: string) => Promise<string | undefined>,
): Promise<Walk> {
  if (path === "") throw new WasiError("noent");
  if (path.startsWith("/")) throw new WasiError("notcapable");
  const isDirectory = /(?:^|\/)\.{0,2}$/.test(path);
  const at = partsOf(from.path);
  const left = path.split("/").reverse();
  let links = 0;
  while (left.length > 0) {
    const part = left.pop() ?? "";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.length <= from.floor) throw new WasiError("notcapable");
      at.pop();
      continue;
    }
    at.push(part);
    const isLast = left.every((rest) => rest === "");
    if (isLast && !follow && !(isDirectory && left.length > 0 && follow)) continue;
    const target = await readLink(`/${at.join("/")}`);
    if (target === undefined) continue;
    if (++links > LINKS_MAX) throw new WasiError("loop");
    at.pop();
    if (target.startsWith("/")) {
      if (from.floor > 0) throw new WasiError("notcapable");
      at.length = 0;
    }
    left.push(...target.split("/").reverse());
  }
  return { path: `/${at.join("/")}`, isDirectory };
}

export function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

/**
 * libc drops the first slash of a path before it looks for the directory to start from, so "/a/b" and "a/b" look the
 * same here. If the program's arguments or environment have the path, they tell which was meant. Undefined if they
 * don't; then the caller looks in the current directory first.
 */
export function isAbsoluteBy(words: readonly string[], path: string): boolean | undefined {
  let isAbsolute = false;
  const text = path === "." ? "" : path;
  for (const word of words) {
    if (text === "") {
      if (word === "." || word === "./") return false;
      if (/^\/+$/.test(word)) isAbsolute = true;
      continue;
    }
    for (let at = word.indexOf(text); at >= 0; at = word.indexOf(text, at + 1)) {
      const before = word.slice(0, at);
      if (/(?:^|[^\w./-])\/+$/.test(before)) isAbsolute = true;
      else if (/(?:^|[^\w./-]|(?:^|[^\w./-])\.\/+)$/.test(before)) return false;
    }
  }
  return isAbsolute ? true : undefined;
}
