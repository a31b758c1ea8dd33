/**
 * Folders as tar, the format of POSIX, with pax headers where names are long or files large, written as a stream;
 * tar-read.ts reads them. (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html)
 */
import { createTarPacker, type TarHeader, type TarPackController } from "modern-tar";
import { chunksOf, pour } from "./streams.ts";
import { exactContent, type FileEntry, type FolderEntry } from "./tree-entry.ts";

/** Time of entries that have none: the epoch, so that the same tree gives the same bytes. */
const TIME_UNKNOWN_MS = 0;

/**
 * A tar of the entries. Rejects with what their content rejects with, and with "io" if it has another length than was
 * said.
 */
export async function* writeTar(entries: AsyncIterable<FileEntry | FolderEntry>): AsyncGenerator<Uint8Array> {
  const { readable, controller } = createTarPacker();
  const packed = pack(entries, controller);
  try {
    yield* chunksOf(readable, "io");
  } finally {
    await packed;
  }
}

/** Never rejects: what goes wrong ends the stream. */
async function pack(entries: AsyncIterable<FileEntry | FolderEntry>, controller: TarPackController): Promise<void> {
  try {
    for await (const entry of entries) {
      const header: TarHeader = {
        name: entry.kind === "folder" ? `${entry.path}/` : entry.path,
        type: entry.kind === "folder" ? "directory" : "file",
        size: entry.kind === "folder" ? 0 : entry.sizeBytes,
        mtime: new Date(entry.modifiedMs ?? TIME_UNKNOWN_MS),
      };
      const body = controller.add(header);
      if (entry.kind === "file") await pour(exactContent(entry), body);
      else await body.close();
    }
    controller.finalize();
  } catch (error) {
    controller.error(error);
  }
}
