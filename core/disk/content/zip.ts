/**
 * Directories as zip, with zip64 if there are more or larger files than zip can describe
 * (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT). Written as a stream, with files stored unpacked. Read
 * by the directory at the archive's end: only that says for certain what the archive contains, so a zip must be
 * readable at any position. Unpacked on this thread, a little at a time.
 */
import { makeZip } from "client-zip";
import { Inflate } from "fflate";
import { messageOf, StarfishError } from "../../base/errors.ts";
import { crc32 } from "./crc32.ts";
import { INFLATE_BYTES, ZIP_ENTRIES_WRITTEN_MAX } from "./limits.ts";
import { type RandomAccess, readExactly, readRun } from "./random-access.ts";
import { chunksOf } from "./streams.ts";
import { exactContent, type FileEntry, type FolderEntry, type TreeEntry } from "./tree-entry.ts";
import { readZipDirectory, type ZipRecord } from "./zip-directory.ts";

const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 0x0001;
/** Zip's time begins in 1980. */
const TIME_UNKNOWN_MS: number = Date.UTC(1980, 0, 2);

/**
 * A zip of the entries. Rejects with what their content rejects with, with "io" if it has another length than its entry
 * says, and with "too-large" on too many entries.
 */
export async function* writeZip(entries: AsyncIterable<FileEntry | FolderEntry>): AsyncGenerator<Uint8Array> {
  yield* chunksOf(makeZip(zipInputs(entries), { buffersAreUTF8: true }), "io");
}

interface ZipInput {
  readonly name: string;
  readonly lastModified: Date;
  readonly input: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

async function* zipInputs(
  entries: AsyncIterable<FileEntry | FolderEntry>,
): AsyncGenerator<ZipInput | Omit<ZipInput, "input">> {
  let count = 0;
  for await (const entry of entries) {
    if (count++ === ZIP_ENTRIES_WRITTEN_MAX) {
      throw new StarfishError(
        "too-large",
        `A zip here holds ${ZIP_ENTRIES_WRITTEN_MAX} files and directories; use tar`,
      );
    }
    const lastModified = new Date(Math.max(TIME_UNKNOWN_MS, entry.modifiedMs ?? TIME_UNKNOWN_MS));
    if (entry.kind === "folder") yield { name: `${entry.path}/`, lastModified };
    else yield { name: entry.path, lastModified, input: exactContent(entry) };
  }
}

/**
 * The entries of a zip in the order of its directory; contents may be read in any order, or not at all. Rejects with
 * "malformed" if it is not a zip. A content rejects with "malformed" if it is damaged, and with "unsupported" if it is
 * encrypted or packed in an unusual way.
 */
export async function* readZip(source: RandomAccess, signal?: AbortSignal): AsyncGenerator<TreeEntry> {
  for await (const record of readZipDirectory(source, signal)) {
    if (record.kind === "bad") {
      yield { kind: "other", path: record.path, what: record.why };
      continue;
    }
    const { path, kind, modifiedMs } = record;
    if (kind === "folder") yield { kind, path, modifiedMs };
    else if (kind === "symlink") yield { kind: "other", path, what: kind };
    else yield { kind, path, sizeBytes: record.sizeBytes, modifiedMs, content: contentOf(record, source, signal) };
  }
}

async function* contentOf(
  record: ZipRecord,
  source: RandomAccess,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { path, method, sizeBytes } = record;
  if ((record.flags & ENCRYPTED) !== 0) throw new StarfishError("unsupported", `${path} is encrypted`);
  if (method !== STORED && method !== DEFLATED) {
    throw new StarfishError("unsupported", `${path} is packed by method ${method}; only stored and deflated are read`);
  }
  const packed = await packedBytes(record, source, method === STORED ? undefined : INFLATE_BYTES, signal);
  let seen = 0;
  let sum = 0;
  for await (const chunk of method === STORED ? packed : inflate(packed, path)) {
    seen += chunk.length;
    if (seen > sizeBytes) break;
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (seen !== sizeBytes || sum !== record.crc) throw new StarfishError("malformed", `${path} is damaged in the zip`);
}

/** The stored bytes of a file. Only the header before them tells where they begin. */
async function packedBytes(
  record: ZipRecord,
  source: RandomAccess,
  pieceBytes: number | undefined,
  signal: AbortSignal | undefined,
): Promise<AsyncGenerator<Uint8Array>> {
  const header = await readExactly(source, record.headerAt, LOCAL_HEADER_BYTES);
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  if (view.getUint32(0, true) !== LOCAL_HEADER) {
    throw new StarfishError("malformed", `${record.path} is not where the zip's directory says`);
  }
  const at = record.headerAt + LOCAL_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  return readRun(source, at, record.packedBytes, { ...(pieceBytes === undefined ? {} : { pieceBytes }), signal });
}

async function* inflate(packed: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  let out: Uint8Array[] = [];
  const inflater = new Inflate((chunk) => out.push(chunk));
  const push = (chunk: Uint8Array, isLast: boolean): Uint8Array[] => {
    out = [];
    try {
      inflater.push(chunk, isLast);
    } catch (error) {
      throw new StarfishError("malformed", `${path} is damaged in the zip: ${messageOf(error)}`, { cause: error });
    }
    return out;
  };
  for await (const chunk of packed) yield* push(chunk, false);
  yield* push(new Uint8Array(0), true);
}
