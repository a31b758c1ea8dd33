/**
 * Reads zips, zip64 too (https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT), by the directory at the
 * archive's end: only that says for certain what the archive contains, so a zip must be readable at any position.
 * Unpacked on this thread, a little at a time. `zip-write.ts` writes them.
 */
import { Inflate } from "fflate";
import { messageOf, StarfishError } from "../../base/errors.ts";
import { crc32 } from "./crc32.ts";
import { INFLATE_BYTES } from "./limits.ts";
import { type RandomAccess, readExactly, readRun } from "./random-access.ts";
import type { FileEntry, TreeEntry } from "./tree-entry.ts";
import { readZipDirectory, type ZipRecord } from "./zip-directory.ts";
import type { PackedEntry } from "./zip-write.ts";

export interface ZipFile extends FileEntry {
  /** As it is in the zip, for another zip; undefined if it is encrypted. */
  readonly packed: PackedEntry | undefined;
}

export type ZipEntry = Exclude<TreeEntry, FileEntry> | ZipFile;

const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 0x0001;
/**
 * The entries of a zip in the order of its directory; contents may be read in any order, or not at all. Rejects with
 * "malformed" if it is not a zip. A content rejects with "malformed" if it is damaged, and with "unsupported" if it is
 * encrypted or packed in an unusual way.
 */
export async function* readZip(source: RandomAccess, signal?: AbortSignal): AsyncGenerator<ZipEntry> {
  for await (const record of readZipDirectory(source, signal)) {
    if (record.kind === "bad") {
      yield { kind: "other", path: record.path, what: record.why };
      continue;
    }
    const { path, kind, modifiedMs } = record;
    if (kind === "folder") yield { kind, path, modifiedMs };
    else if (kind === "symlink") yield { kind: "other", path, what: kind };
    else {
      const { sizeBytes } = record;
      const content = contentOf(record, source, signal);
      yield { kind, path, sizeBytes, modifiedMs, content, packed: packedEntry(record, source, signal) };
    }
  }
}

function packedEntry(
  record: ZipRecord,
  source: RandomAccess,
  signal: AbortSignal | undefined,
): PackedEntry | undefined {
  if ((record.flags & ENCRYPTED) !== 0) return undefined;
  const { path, sizeBytes, modifiedMs, packedBytes, method, crc } = record;
  async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
    yield* await packedContent(record, source, undefined, signal);
  }
  return { kind: "packed", path, sizeBytes, modifiedMs, packedBytes, method, crc, content: content() };
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
  const packed = await packedContent(record, source, method === STORED ? undefined : INFLATE_BYTES, signal);
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
async function packedContent(
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
