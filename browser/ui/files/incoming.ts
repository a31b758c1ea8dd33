/** What a person drops on the page or picks: files, and directories with their contents if the browser gives them. */
import { StarfishError } from "../../../core/base/errors.ts";
import { within } from "../../../core/shell/files/paths.ts";

/** More files at once are more often a mistake than a wish, and would make the page stall. */
const FILES_MAX = 100_000;

export interface Incoming {
  readonly files: readonly { readonly path: string; readonly file: File }[];
  /** Also empty ones. */
  readonly directories: readonly string[];
}

/** Uses the event's own data, which exists only while the event is handled: call it before any await. */
export function dropped(data: DataTransfer, into: string): Promise<Incoming> {
  const entries: FileSystemEntry[] = [];
  const loose: File[] = [];
  for (const item of data.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry();
    const file = entry === null ? item.getAsFile() : null;
    if (entry !== null) entries.push(entry);
    else if (file !== null) loose.push(file);
  }
  return gathered(entries, picked(loose, into), into);
}

export function picked(files: readonly File[], into: string): Incoming {
  return { files: files.map((file) => ({ path: within(into, file.name), file })), directories: [] };
}

/** Rejects with "too-large" if there are too many, or with the browser's error if one can't be read. */
async function gathered(entries: readonly FileSystemEntry[], loose: Incoming, into: string): Promise<Incoming> {
  const files = [...loose.files];
  const directories: string[] = [];
  const waiting = entries.map((entry) => ({ entry, path: within(into, entry.name) }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { entry, path } = next;
    if (isFile(entry)) files.push({ path, file: await fileOf(entry) });
    if (isDirectory(entry)) {
      directories.push(path);
      for (const inner of await entriesOf(entry)) waiting.push({ entry: inner, path: within(path, inner.name) });
    }
    if (files.length > FILES_MAX) {
      throw new StarfishError("too-large", `These are more than ${FILES_MAX} files: add them in parts`);
    }
  }
  return { files, directories };
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** Browsers give about a hundred at a time, and none at the end. */
async function entriesOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
