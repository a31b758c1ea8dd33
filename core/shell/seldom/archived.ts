/** What an archive gets of a tree: a file, or a directory with all that is below it, in the order of their names. */
import { StarfishError } from "../../base/errors.ts";
import type { FileEntry, FolderEntry } from "../../disk/content/tree-entry.ts";
import { LEVELS_MAX } from "../compare/limits.ts";
import { join } from "../namespace/paths.ts";
import type { UtilityContext } from "../utilities/utility.ts";

export interface Archiving {
  readonly context: UtilityContext;
  /** Whether a directory comes with what is below it. */
  readonly isDeep: boolean;
  /** Whether the entry, and what is below it, is left out: it is excluded, or is the archive itself. */
  readonly skips: (shown: string, path: string) => boolean;
}

/**
 * The entry at a path of the tree, under the name that the archive shows; an empty name is that of the archive's root.
 * Throws "unsupported" for what has no size before it is read, and "too-large".
 */
export async function* archived(
  shown: string,
  path: string,
  archiving: Archiving,
  level = 0,
): AsyncGenerator<FileEntry | FolderEntry, void, undefined> {
  const { names, signal } = archiving.context;
  if (archiving.skips(shown, path)) return;
  const entry = await names.entry(path, { signal });
  if (entry === undefined) return;
  const modifiedMs = entry.modifiedAtMs;
  if (entry.kind !== "directory") {
    const { sizeBytes } = entry;
    if (sizeBytes === undefined)
      throw new StarfishError("unsupported", `${shown}: its size is known only by reading; copy it first`);
    yield { kind: "file", path: shown, sizeBytes, modifiedMs, content: names.read(path, { signal }) };
    return;
  }
  if (level >= LEVELS_MAX) throw new StarfishError("too-large", `${shown}: directories are nested too deeply`);
  if (shown !== "") yield { kind: "folder", path: shown, modifiedMs };
  if (!archiving.isDeep) return;
  const entries = [...(await names.list(path, { signal }))].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name } of entries)
    yield* archived(shown === "" ? name : `${shown}/${name}`, join(path, name), archiving, level + 1);
}
