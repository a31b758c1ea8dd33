/**
 * Writes a zip as a stream, with zip64 where sizes or positions need it (sections of PKWARE's APPNOTE are named below).
 * Files are deflated on this thread, a little at a time. A file whose beginning does not shrink is stored. Files of up
 * to PROBE_BYTES are measured before they are written, so that their headers have their sizes; after larger ones a
 * descriptor has them.
 */
import { Deflate } from "fflate";
import { type Bytes, concat, utf8 } from "../../base/bytes.ts";
import { StarfishError, toStarfishError } from "../../base/errors.ts";
import { crc32 } from "./crc32.ts";
import { DEFLATE_BYTES, ZIP_ENTRIES_MAX, ZIP_PROBE_BYTES } from "./limits.ts";
import { exactContent, type FileEntry, type FolderEntry } from "./tree-entry.ts";

export type DeflateLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** A file with its bytes as another zip has them. */
export interface PackedEntry extends Omit<FileEntry, "kind"> {
  readonly kind: "packed";
  readonly packedBytes: number;
  readonly method: number;
  readonly crc: number;
}

export interface WrittenEntry {
  readonly path: string;
  readonly kind: "file" | "folder";
  readonly sizeBytes: number;
  readonly packedBytes: number;
  readonly isDeflated: boolean;
}

export interface ZipWriteOptions {
  /** 0 stores all files; 9 is slowest. */
  readonly level?: DeflateLevel | undefined;
  /** Is told of each file and folder when it has been written. */
  readonly written?: (entry: WrittenEntry) => Promise<void>;
}

const STORED = 0;
const DEFLATED = 8;
/** Sections 4.3.7, 4.3.9, 4.3.12, 4.3.14, 4.3.15, 4.3.16. */
const LOCAL = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
const RECORD = 0x02014b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const END = 0x06054b50;
/** Section 4.4.4: sizes come after the bytes; names are UTF-8. */
const HAS_DESCRIPTOR = 0x0008;
const IS_UTF8 = 0x0800;
const FIELD_64 = 0x0001;
/** Info-ZIP's field of a time in UTC; zip's own time is a local one. */
const FIELD_TIME = 0x5455;
/** Says that the value is in a zip64 field. */
const IN_FIELD_64 = 0xffffffff;
const COUNT_IN_64 = 0xffff;
/** Version 2.0 unpacks deflate and folders, 4.5 zip64. Made on Unix, so that attributes are its modes. */
const VERSION = 20;
const VERSION_64 = 45;
const MADE_ON_UNIX: number = (3 << 8) | VERSION_64;
const MODE_FILE = 0o100644;
const MODE_FOLDER = 0o040755;
const DOS_FOLDER = 0x10;
/**
 * A file of this size or more gets 64 bits for its sizes: deflate adds at most 5 bytes to 64 KiB that do not shrink.
 */
const SIZE_64: number = 2 ** 32 - 2 ** 20;
/** Zip's time begins in 1980 and ends with 2107. */
const TIME_UNKNOWN_MS: number = Date.UTC(1980, 0, 2);
const TIME_MAX_MS: number = Date.UTC(2107, 11, 30);

/** Records of the directory that are given in one piece, of some 25 kB. */
const RECORDS_AT_ONCE = 256;

type Number = readonly [value: number, bytes: number];

/** What the header before a file and its record in the directory both say. */
interface Head {
  readonly name: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly modifiedMs: number;
  readonly isFolder: boolean;
}

interface Sizes {
  readonly crc: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
}

/**
 * A zip of the entries. Rejects with what their content rejects with, with "io" if it has another length than its entry
 * says, and with "too-large" on too many entries.
 */
export async function* writeZip(
  entries: AsyncIterable<FileEntry | FolderEntry | PackedEntry>,
  { level = 6, written }: ZipWriteOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const writer = new Writer(level);
  try {
    for await (const entry of entries) {
      const told = yield* writer.entry(entry);
      await written?.(told);
    }
  } catch (error) {
    throw toStarfishError(error, "io");
  }
  yield* writer.end();
}

class Writer {
  readonly #level: DeflateLevel;
  readonly #records: Uint8Array[] = [];
  #at = 0;

  constructor(level: DeflateLevel) {
    this.#level = level;
  }

  async *entry(entry: FileEntry | FolderEntry | PackedEntry): AsyncGenerator<Uint8Array, WrittenEntry, undefined> {
    if (this.#records.length === ZIP_ENTRIES_MAX)
      throw new StarfishError("too-large", `A zip here has at most ${ZIP_ENTRIES_MAX} files and directories; use tar`);
    const isFolder = entry.kind === "folder";
    const name = utf8(isFolder ? `${entry.path}/` : entry.path);
    const modifiedMs = Math.min(TIME_MAX_MS, Math.max(TIME_UNKNOWN_MS, entry.modifiedMs ?? TIME_UNKNOWN_MS));
    const head: Head = { name, flags: IS_UTF8, method: STORED, modifiedMs, isFolder };
    const nothing: Sizes = { crc: 0, packedBytes: 0, sizeBytes: 0 };
    const at = this.#at;
    if (entry.kind === "folder") {
      yield this.#passed(localHeader(head, nothing));
      return this.#done(entry.path, head, nothing, at);
    }
    if (entry.kind === "packed") return yield* this.#copied(entry, head);
    return yield* this.#file(entry, head);
  }

  *end(): Generator<Uint8Array, void, undefined> {
    const at = this.#at;
    for (let i = 0; i < this.#records.length; i += RECORDS_AT_ONCE)
      yield this.#passed(concat(this.#records.slice(i, i + RECORDS_AT_ONCE)));
    const sizeBytes = this.#at - at;
    const count = this.#records.length;
    if (count >= COUNT_IN_64 || at >= IN_FIELD_64 || sizeBytes >= IN_FIELD_64)
      yield end64(count, sizeBytes, at, this.#at);
    yield endMark(Math.min(count, COUNT_IN_64), Math.min(sizeBytes, IN_FIELD_64), Math.min(at, IN_FIELD_64));
  }

  /** A file as another zip has it; its sizes are known. */
  async *#copied(entry: PackedEntry, plain: Head): AsyncGenerator<Uint8Array, WrittenEntry, undefined> {
    const at = this.#at;
    const head = { ...plain, method: entry.method };
    yield this.#passed(localHeader(head, entry));
    for await (const piece of exactContent({ ...entry, kind: "file", sizeBytes: entry.packedBytes }))
      yield this.#passed(piece);
    return this.#done(entry.path, head, entry, at);
  }

  async *#file(entry: FileEntry, plain: Head): AsyncGenerator<Uint8Array, WrittenEntry, undefined> {
    const at = this.#at;
    const content = exactContent(entry);
    try {
      const { bytes, isWhole } = await beginning(content);
      const packed = this.#level === 0 ? bytes : deflated(bytes, this.#level);
      const method = packed.length < bytes.length ? DEFLATED : STORED;
      if (isWhole) {
        const body = method === DEFLATED ? packed : bytes;
        const sizes = { crc: crc32(bytes), packedBytes: body.length, sizeBytes: bytes.length };
        const head = { ...plain, method };
        yield this.#passed(localHeader(head, sizes));
        if (body.length > 0) yield this.#passed(body);
        return this.#done(entry.path, head, sizes, at);
      }
      const head = { ...plain, method, flags: plain.flags | HAS_DESCRIPTOR };
      const is64 = entry.sizeBytes >= SIZE_64;
      yield this.#passed(localHeader(head, { crc: 0, packedBytes: 0, sizeBytes: 0 }, is64));
      const sizes = yield* this.#streamed(bytes, content, method);
      yield this.#passed(descriptor(sizes, is64));
      return this.#done(entry.path, head, sizes, at);
    } finally {
      await content.return(undefined);
    }
  }

  async *#streamed(
    first: Bytes,
    rest: AsyncIterable<Bytes>,
    method: number,
  ): AsyncGenerator<Uint8Array, Sizes, undefined> {
    const start = this.#at;
    const deflate = method === DEFLATED ? new Deflating(this.#level) : undefined;
    let crc = 0;
    let sizeBytes = 0;
    const take = function* (bytes: Bytes): Generator<Uint8Array, void, undefined> {
      crc = crc32(bytes, crc);
      sizeBytes += bytes.length;
      if (deflate === undefined) yield bytes;
      else yield* deflate.push(bytes);
    };
    for (const piece of take(first)) yield this.#passed(piece);
    for await (const bytes of rest) for (const piece of take(bytes)) yield this.#passed(piece);
    for (const piece of deflate?.end() ?? []) yield this.#passed(piece);
    return { crc, packedBytes: this.#at - start, sizeBytes };
  }

  #passed(bytes: Uint8Array): Uint8Array {
    this.#at += bytes.length;
    return bytes;
  }

  #done(path: string, head: Head, sizes: Sizes, at: number): WrittenEntry {
    this.#records.push(recordOf(head, sizes, at));
    const { sizeBytes, packedBytes } = sizes;
    return {
      path,
      kind: head.isFolder ? "folder" : "file",
      sizeBytes,
      packedBytes,
      isDeflated: head.method === DEFLATED,
    };
  }
}

/** The first bytes of a content; whether they are all of it. */
async function beginning(
  content: AsyncIterator<Bytes>,
): Promise<{ readonly bytes: Uint8Array; readonly isWhole: boolean }> {
  const pieces: Bytes[] = [];
  let seen = 0;
  while (seen <= ZIP_PROBE_BYTES) {
    const next = await content.next();
    if (next.done === true) return { bytes: concat(pieces), isWhole: true };
    pieces.push(next.value);
    seen += next.value.length;
  }
  return { bytes: concat(pieces), isWhole: false };
}

function deflated(bytes: Bytes, level: DeflateLevel): Uint8Array {
  const deflating = new Deflating(level);
  return concat([...deflating.push(bytes), ...deflating.end()]);
}

class Deflating {
  readonly #deflate: Deflate;
  #out: Uint8Array[] = [];

  constructor(level: DeflateLevel) {
    this.#deflate = new Deflate({ level }, (bytes) => this.#out.push(bytes));
  }

  *push(bytes: Bytes): Generator<Uint8Array, void, undefined> {
    for (let at = 0; at < bytes.length; at += DEFLATE_BYTES) {
      this.#deflate.push(bytes.subarray(at, at + DEFLATE_BYTES));
      yield* this.#taken();
    }
  }

  *end(): Generator<Uint8Array, void, undefined> {
    this.#deflate.push(new Uint8Array(0), true);
    yield* this.#taken();
  }

  #taken(): Uint8Array[] {
    const out = this.#out.filter((bytes) => bytes.length > 0);
    this.#out = [];
    return out;
  }
}

function localHeader(head: Head, sizes: Sizes, is64 = needs64(sizes)): Uint8Array {
  const field = is64 ? numbers([FIELD_64, 2], [16, 2], [sizes.sizeBytes, 8], [sizes.packedBytes, 8]) : NOTHING;
  const extra = concat([field, timeField(head.modifiedMs)]);
  const fixed = numbers(
    [LOCAL, 4],
    [is64 ? VERSION_64 : VERSION, 2],
    ...headNumbers(head),
    [sizes.crc, 4],
    [is64 ? IN_FIELD_64 : sizes.packedBytes, 4],
    [is64 ? IN_FIELD_64 : sizes.sizeBytes, 4],
    [head.name.length, 2],
    [extra.length, 2],
  );
  return concat([fixed, head.name, extra]);
}

function descriptor({ crc, packedBytes, sizeBytes }: Sizes, is64: boolean): Uint8Array {
  const width = is64 ? 8 : 4;
  return numbers([DESCRIPTOR, 4], [crc, 4], [packedBytes, width], [sizeBytes, width]);
}

function recordOf(head: Head, sizes: Sizes, at: number): Uint8Array {
  const is64 = needs64(sizes) || at >= IN_FIELD_64;
  const field = is64 ? numbers([FIELD_64, 2], [24, 2], [sizes.sizeBytes, 8], [sizes.packedBytes, 8], [at, 8]) : NOTHING;
  const extra = concat([field, timeField(head.modifiedMs)]);
  const attributes = head.isFolder ? MODE_FOLDER * 65_536 + DOS_FOLDER : MODE_FILE * 65_536;
  const fixed = numbers(
    [RECORD, 4],
    [MADE_ON_UNIX, 2],
    [is64 ? VERSION_64 : VERSION, 2],
    ...headNumbers(head),
    [sizes.crc, 4],
    [is64 ? IN_FIELD_64 : sizes.packedBytes, 4],
    [is64 ? IN_FIELD_64 : sizes.sizeBytes, 4],
    [head.name.length, 2],
    [extra.length, 2],
    // No comment, the first disk, no attributes of its own.
    [0, 6],
    [attributes, 4],
    [is64 ? IN_FIELD_64 : at, 4],
  );
  return concat([fixed, head.name, extra]);
}

function needs64({ packedBytes, sizeBytes }: Sizes): boolean {
  return packedBytes >= IN_FIELD_64 || sizeBytes >= IN_FIELD_64;
}

function headNumbers({ flags, method, modifiedMs }: Head): Number[] {
  const time = new Date(modifiedMs);
  const day = ((time.getFullYear() - 1980) << 9) | ((time.getMonth() + 1) << 5) | time.getDate();
  const ofDay = (time.getHours() << 11) | (time.getMinutes() << 5) | (time.getSeconds() >> 1);
  return [
    [flags, 2],
    [method, 2],
    [ofDay, 2],
    [day, 2],
  ];
}

/** The time in UTC, as far as 32 bits of seconds reach. */
function timeField(modifiedMs: number): Uint8Array {
  const seconds = Math.floor(modifiedMs / 1_000);
  return seconds < 2 ** 31 ? numbers([FIELD_TIME, 2], [5, 2], [1, 1], [seconds, 4]) : NOTHING;
}

function end64(count: number, sizeBytes: number, at: number, endAt: number): Uint8Array {
  return numbers(
    [END_64, 4],
    // The bytes after this number.
    [44, 8],
    [MADE_ON_UNIX, 2],
    [VERSION_64, 2],
    [0, 8],
    [count, 8],
    [count, 8],
    [sizeBytes, 8],
    [at, 8],
    [LOCATOR_64, 4],
    [0, 4],
    [endAt, 8],
    [1, 4],
  );
}

function endMark(count: number, sizeBytes: number, at: number): Uint8Array {
  return numbers([END, 4], [0, 4], [count, 2], [count, 2], [sizeBytes, 4], [at, 4], [0, 2]);
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Little-endian, as all numbers of a zip. */
function numbers(...values: readonly Number[]): Uint8Array {
  let length = 0;
  for (const [, bytes] of values) length += bytes;
  const out = new Uint8Array(length);
  let at = 0;
  for (const [value, bytes] of values) {
    const high = bytes > 4 ? Math.floor(value / 2 ** 32) : 0;
    for (let i = 0; i < bytes; i++) out[at++] = (i < 4 ? value : high) >>> (8 * (i % 4));
  }
  return out;
}
