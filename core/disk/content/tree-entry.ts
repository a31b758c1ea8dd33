/** The entries of a folder on its way in or out, in any format. */
import { type Bytes, utf8 } from "../../base/bytes.ts";
import { type ErrorCode, StarfishError } from "../../base/errors.ts";
import { PATH_BYTES_MAX } from "./limits.ts";

export interface FolderEntry {
  readonly kind: "folder";
  /** Names with "/" between them; empty for the root itself. */
  readonly path: string;
  readonly modifiedMs?: number | undefined;
}

export interface FileEntry {
  readonly kind: "file";
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs?: number | undefined;
  /**
   * The bytes, once. If entries come from one stream, the bytes of an entry can't be read any more when the next entry
   * is asked for.
   */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Another name of a file that came before. */
export interface LinkEntry {
  readonly kind: "link";
  readonly path: string;
  /** The path of the file. */
  readonly to: string;
}

/** An entry that the disk can't store, or that can't be read correctly. The importer reports it and goes on. */
interface OtherEntry {
  readonly kind: "other";
  readonly path: string;
  /** For people: "symlink", "fifo", "a name that is no UTF-8". */
  readonly what: string;
}

export type TreeEntry = FolderEntry | FileEntry | LinkEntry | OtherEntry;

const OF_ENTRY: ReadonlySet<ErrorCode> = new Set(["malformed", "unsupported", "corrupt", "not-found", "too-large"]);

/** Whether an error says that one entry is damaged or of an unknown kind, so that the others may still follow. */
export function isOfEntry(error: unknown): error is StarfishError {
  return error instanceof StarfishError && OF_ENTRY.has(error.code);
}

/** A path as an archive's bytes have it. Throws "malformed". */
export function utf8Path(bytes: Bytes): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new StarfishError("malformed", "a name that is no UTF-8, and so has no place here", { cause: error });
  }
}

/** A path for people to read, whatever its bytes are; bytes that are not UTF-8 as in "caf\xe9". */
export function shownPath(bytes: Bytes): string {
  try {
    return utf8Path(bytes);
  } catch {
    return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join("");
  }
}

/**
 * A path as somebody else's archive has it, made clean: relative, without "." and empty names. Throws "malformed" for
 * paths that lead out of the folder or that no file can have.
 */
export function cleanPath(path: string): string {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const clean = names.join("/");
  if (names.includes("..") || clean.includes("\0") || !clean.isWellFormed()) {
    throw new StarfishError("malformed", `A path that no file can have: ${JSON.stringify(path)}`);
  }
  if (utf8(clean).length > PATH_BYTES_MAX) throw new StarfishError("too-large", "A path that is too long");
  return clean;
}

/** The content of an entry; rejects with "io" if it has another length than the entry says. */
export async function* exactContent({ path, sizeBytes, content }: FileEntry): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let seen = 0;
  for await (const chunk of content) {
    seen += chunk.length;
    if (seen > sizeBytes) break;
    yield chunk as Uint8Array<ArrayBuffer>;
  }
  if (seen !== sizeBytes) throw new StarfishError("io", `${path} does not have the ${sizeBytes} bytes that it should`);
}
