/** Paths as people type, complete and see them. */
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
 * The path in the distributed files that an operand means, seen from the current directory; a slash at its end stays.
 * Throws "usage" for an empty operand, which more often comes from an unset variable than stands for all files.
 */
export function placeOf(operand: string, { path }: Pick<CommandContext, "path">): string {
  if (operand === "") throw new StarfishError("usage", "a path is empty");
  const absolute = path(operand);
  return operand.endsWith("/") && absolute !== "/" ? `${absolute}/` : absolute;
}

/**
 * The path for something called `name` that is put at `target`: inside of it, if `target` is a directory or ends with a
 * slash.
 */
export function destination(files: Files, target: string, name: string): string {
  const isDirectory = target.endsWith("/") || target === "" || files.stat(target)?.kind === "directory";
  return isDirectory ? within(target === "" ? "/" : target, name) : target;
}

/** Completes options; the shell itself completes paths. */
export function completeWith(...options: readonly string[]): (words: readonly string[]) => readonly string[] {
  return (words) => ((words.at(-1) ?? "").startsWith("-") ? options : []);
}

/** The files at and under a path. */
export function* filesUnder(files: Files, path: string): Generator<FileInfo, void, undefined> {
  for (const info of files.walk(path)) if (info.kind === "file") yield info;
}
