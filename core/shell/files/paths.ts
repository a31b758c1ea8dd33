/** Paths as people type, complete and see them. There is no current directory yet: what does not begin with "/" is taken from the root. */
import { StarfishError } from "../../base/errors.ts";
import type { FileInfo, Files } from "../../disk/types.ts";
import type { CommandContext, Host } from "../types.ts";

/** The last name of a path of this computer; empty for the root. */
export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, "");
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** The last name of a path of the host; empty for a root. */
export function hostBaseName(path: string, { hasBackslashPaths = false }: Host): string {
  return baseName(hasBackslashPaths ? path.replaceAll("\\", "/") : path);
}

export function within(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}

/**
 * A path of the distributed files as it is meant from the current directory; a slash at its end stays. Throws "usage" for an
 * empty one: it stands for a variable that is not set more often than for all files.
 */
export function placeOf(operand: string, { path }: Pick<CommandContext, "path">): string {
  if (operand === "") throw new StarfishError("usage", "a path is empty");
  const absolute = path(operand);
  return operand.endsWith("/") && absolute !== "/" ? `${absolute}/` : absolute;
}

/** Where something called `name` goes that is to be put at `target`: into it, if that is a directory or ends as one. */
export function destination(files: Files, target: string, name: string): string {
  const isDirectory = target.endsWith("/") || target === "" || files.stat(target)?.kind === "directory";
  return isDirectory ? within(target === "" ? "/" : target, name) : target;
}

/** Options; paths are the shell's own business. */
export function completeWith(...options: readonly string[]): (words: readonly string[]) => readonly string[] {
  return (words) => ((words.at(-1) ?? "").startsWith("-") ? options : []);
}

/** The files at and under a path. */
export function* filesUnder(files: Files, path: string): Generator<FileInfo, void, undefined> {
  for (const info of files.walk(path)) if (info.kind === "file") yield info;
}
