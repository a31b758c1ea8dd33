/** Durable files: flushed writes, and the errors of file systems in words. */
import { type FileHandle, open } from "node:fs/promises";
import type { Bytes } from "../core/base/bytes.ts";
import { messageOf, StarfishError, toStarfishError } from "../core/base/errors.ts";

/** Writes a file and flushes it. */
export async function writeDurably(path: string, value: Bytes): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(value);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes a file of two pieces, one after the other. */
export async function writePieces(path: string, head: Bytes, bytes: Bytes): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    const { bytesWritten } = await file.writev([head, bytes]);
    // The system may write less at once, for example when the disk is nearly full.
    if (bytesWritten < head.length) await file.writeFile(head.subarray(bytesWritten));
    if (bytesWritten < head.length + bytes.length)
      await file.writeFile(bytes.subarray(Math.max(0, bytesWritten - head.length)));
  } finally {
    await file.close();
  }
}

/** Makes what was written to a file durable, if the file still exists. */
export async function flushFile(path: string): Promise<void> {
  let file: FileHandle;
  try {
    file = await open(path, "r");
  } catch (error) {
    if (isNotFound(error)) return;
    throw error;
  }
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Makes a rename or removal durable: it is a change of the directory, which has to be flushed by itself. */
export async function flushDirectory(directory: string): Promise<void> {
  // Windows can't open directories, and flushes them itself.
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What people can do about an error, by the system's name of the error. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: free some space.",
  EDQUOT: "The disk quota is used up: free some space.",
  EACCES: "Permission was denied: make it readable and writable for the user that runs Starfish.",
  EPERM: "Permission was denied: make it readable and writable for the user that runs Starfish.",
  EROFS: "The file system is read-only: use another data directory (--data).",
  EIO: "The disk reports errors: use another one (--data).",
  EMFILE: "Too many files are open: raise the limit (ulimit -n).",
  ENOTDIR: "Part of that path is a file: use another data directory (--data).",
  EEXIST: "There is a file of that name: use another data directory (--data).",
  ENOENT: "The directory was removed: restart the node.",
};

/** Turns errors of the file system into "io", or into `fullCode` if there is no room, with advice. */
export async function guardFiles<T>(
  directory: string,
  work: () => Promise<T>,
  fullCode: "io" | "full" = "io",
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StarfishError) throw error;
    const remedy = REMEDIES[codeOf(error)];
    if (remedy === undefined) throw toStarfishError(error, "io");
    const message = `The store in ${directory} failed. ${remedy} (${messageOf(error)})`;
    throw new StarfishError(isFull(error) ? fullCode : "io", message, { cause: error });
  }
}

export function isNotFound(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

/** The disk can't read what was written to it. */
export function isUnreadable(error: unknown): boolean {
  return codeOf(error) === "EIO";
}

function isFull(error: unknown): boolean {
  return codeOf(error) === "ENOSPC" || codeOf(error) === "EDQUOT";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
