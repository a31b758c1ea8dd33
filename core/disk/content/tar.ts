/**
 * Folders as tar, the format of POSIX, with pax headers where names are long or files large; read and written as a stream.
 * (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html)
 */
import {
  createTarDecoder,
  createTarPacker,
  type ParsedTarEntry,
  type TarHeader,
  type TarPackController,
} from "modern-tar";
import { chunksOf, pour } from "./streams.ts";
import { cleanPath, exactContent, type FileEntry, type FolderEntry, type TreeEntry } from "./tree-entry.ts";

/** Time of entries that have none: the epoch, so that the same tree gives the same bytes. */
const TIME_UNKNOWN_MS = 0;

/** A tar of the entries. Rejects with what their content rejects with, and with "io" if it has another length than was said. */
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

/**
 * The entries of a tar in its order. The content of one has to be read before the next is asked for; what is left unread
 * is passed over. Rejects with "malformed" on what is no tar, and "io" if the source breaks.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TreeEntry> {
  const decoder = createTarDecoder({ strict: true });
  // It breaks the readable side too, where it is heard of.
  const poured = pour(source, decoder.writable).catch(() => undefined);
  try {
    for await (const entry of chunksOf(decoder.readable, "malformed")) {
      yield entryOf(entry);
      if (!entry.body.locked) await entry.body.cancel();
    }
  } finally {
    await poured;
  }
}

function entryOf({ header, body }: ParsedTarEntry): TreeEntry {
  const path = cleanPath(header.name);
  const modifiedMs = header.mtime?.getTime();
  switch (header.type) {
    case "file":
      return { kind: "file", path, sizeBytes: header.size, modifiedMs, content: chunksOf(body, "malformed") };
    case "directory":
      return { kind: "folder", path, modifiedMs };
    default:
      return { kind: "other", path, what: header.type ?? "entry" };
  }
}
