/** What folders are made of on their way in and out, whatever the format. */
import { utf8 } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { PATH_BYTES_MAX } from "./limits.ts";

export interface FolderEntry {
  readonly kind: "folder";
  /** Names with "/" between them; empty for what is the root itself. */
  readonly path: string;
  readonly modifiedMs?: number | undefined;
}

export interface FileEntry {
  readonly kind: "file";
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs?: number | undefined;
  /** The bytes, once. Where entries come out of one stream, those of an entry are gone when the next entry is asked for. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** What the disk has no place for; the importer says so and goes on. */
interface OtherEntry {
  readonly kind: "other";
  readonly path: string;
  /** A word for people: "symlink", "fifo". */
  readonly what: string;
}

export type TreeEntry = FolderEntry | FileEntry | OtherEntry;

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

/** The content of an entry; rejects with "io" where it has another length than the entry says. */
export async function* exactContent({ path, sizeBytes, content }: FileEntry): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let seen = 0;
  for await (const chunk of content) {
    seen += chunk.length;
    if (seen > sizeBytes) break;
    yield chunk as Uint8Array<ArrayBuffer>;
  }
  if (seen !== sizeBytes) throw new StarfishError("io", `${path} does not have the ${sizeBytes} bytes that it should`);
}
