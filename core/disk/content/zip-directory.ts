/** The directory at the end of a zip, read a piece at a time. Sections named here are those of PKWARE's APPNOTE. */
import { StarfishError, throwIfAborted } from "../../base/errors.ts";
import { PATH_BYTES_MAX, READ_BYTES, ZIP_ENTRIES_MAX } from "./limits.ts";
import { type RandomAccess, readExactly } from "./random-access.ts";
import { cleanPath } from "./tree-entry.ts";

/** An entry as the directory describes it. */
export interface ZipRecord {
  readonly kind: "file" | "folder" | "symlink";
  readonly path: string;
  readonly sizeBytes: number;
  readonly packedBytes: number;
  readonly modifiedMs: number;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  /** Where the header before its bytes is. */
  readonly headerAt: number;
}

/** Section 4.3.16; a comment of up to 65,535 bytes may follow it. */
const END = 0x06054b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
/** Sections 4.3.14 and 4.3.15. */
const END_64 = 0x06064b50;
const END_64_BYTES = 56;
const LOCATOR_64 = 0x07064b50;
const LOCATOR_64_BYTES = 20;
/** Section 4.3.12. */
const RECORD = 0x02014b50;
const RECORD_BYTES = 46;
/** Says that the value is in a zip64 field. */
const IN_FIELD_64 = 0xffffffff;
const FIELD_64 = 0x0001;
/** Info-ZIP's field of a time in UTC. */
const FIELD_TIME = 0x5455;
const IS_UTF8 = 0x0800;
/** File types in the upper half of the attributes, where the zip was made on Unix. */
const UNIX = 3;
const TYPE_MASK = 0o170000;
const TYPE_FOLDER = 0o040000;
const TYPE_SYMLINK = 0o120000;

/** How many entries there are is not read: writers without zip64 count modulo 65,536. */
interface Directory {
  readonly at: number;
  readonly sizeBytes: number;
}

export async function* readZipDirectory(source: RandomAccess, signal?: AbortSignal): AsyncGenerator<ZipRecord> {
  const directory = await findDirectory(source);
  const end = directory.at + directory.sizeBytes;
  let piece = new Uint8Array(0);
  let pieceAt = directory.at;
  /** `length` bytes from `at` on, which only moves forward. */
  const read = async (at: number, length: number): Promise<DataView> => {
    if (at + length > end) throw malformed("its directory ends early");
    if (at + length > pieceAt + piece.length) {
      piece = Uint8Array.from(await readExactly(source, at, Math.min(end - at, Math.max(length, READ_BYTES))));
      pieceAt = at;
    }
    return new DataView(piece.buffer, at - pieceAt, length);
  };
  let at = directory.at;
  for (let count = 0; at < end; count++) {
    throwIfAborted(signal);
    if (count === ZIP_ENTRIES_MAX) throw new StarfishError("too-large", "A zip of too many entries");
    const fixed = await read(at, RECORD_BYTES);
    if (fixed.getUint32(0, true) !== RECORD) throw malformed("its directory is damaged");
    const length = RECORD_BYTES + fixed.getUint16(28, true) + fixed.getUint16(30, true) + fixed.getUint16(32, true);
    yield recordOf(await read(at, length));
    at += length;
  }
}

async function findDirectory(source: RandomAccess): Promise<Directory> {
  const tailBytes = Math.min(source.sizeBytes, END_BYTES + COMMENT_BYTES_MAX);
  const tail = viewOf(await readExactly(source, source.sizeBytes - tailBytes, tailBytes));
  for (let at = tailBytes - END_BYTES; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END) continue;
    const commentBytes = tail.getUint16(at + 20, true);
    // A comment may contain what looks like an end; the real one reaches to the end of the file.
    if (at + END_BYTES + commentBytes !== tailBytes) continue;
    const plain = { sizeBytes: tail.getUint32(at + 12, true), at: tail.getUint32(at + 16, true) };
    return (await findDirectory64(source, source.sizeBytes - tailBytes + at)) ?? plain;
  }
  throw malformed("it has no directory");
}

async function findDirectory64(source: RandomAccess, endAt: number): Promise<Directory | undefined> {
  const locatorAt = endAt - LOCATOR_64_BYTES;
  if (locatorAt < 0) return undefined;
  const locator = viewOf(await readExactly(source, locatorAt, LOCATOR_64_BYTES));
  if (locator.getUint32(0, true) !== LOCATOR_64) return undefined;
  const end = viewOf(await readExactly(source, integer64(locator, 8), END_64_BYTES));
  if (end.getUint32(0, true) !== END_64) throw malformed("its directory is not where it says");
  return { sizeBytes: integer64(end, 40), at: integer64(end, 48) };
}

function recordOf(view: DataView): ZipRecord {
  const flags = view.getUint16(8, true);
  const nameBytes = view.getUint16(28, true);
  if (nameBytes > PATH_BYTES_MAX) throw new StarfishError("too-large", "A zip with a path that is too long");
  const name = nameOf(new Uint8Array(view.buffer, view.byteOffset + RECORD_BYTES, nameBytes), (flags & IS_UTF8) !== 0);
  const fields = fieldsOf(view, RECORD_BYTES + nameBytes, view.getUint16(30, true));
  const [sizeBytes, packedBytes, headerAt] = sizesOf(view, fields.get(FIELD_64));
  const time = fields.get(FIELD_TIME);
  const hasTime = time !== undefined && time.byteLength >= 5 && (time.getUint8(0) & 1) === 1;
  return {
    kind: kindOf(view, name),
    path: cleanPath(name),
    sizeBytes,
    packedBytes,
    modifiedMs: hasTime
      ? time.getInt32(1, true) * 1_000
      : dosTimeMs(view.getUint16(12, true), view.getUint16(14, true)),
    flags,
    method: view.getUint16(10, true),
    crc: view.getUint32(16, true),
    headerAt,
  };
}

function kindOf(view: DataView, name: string): ZipRecord["kind"] {
  if (name.endsWith("/")) return "folder";
  const type = view.getUint8(5) === UNIX ? view.getUint16(40, true) & TYPE_MASK : 0;
  if (type === TYPE_FOLDER) return "folder";
  // Everything else has bytes: Info-ZIP marks what it read from a pipe as one.
  return type === TYPE_SYMLINK ? "symlink" : "file";
}

/** Size, packed size and offset; those that do not fit in the record are in its zip64 field, one after the other. */
function sizesOf(view: DataView, field: DataView | undefined): [number, number, number] {
  let at = 0;
  const take = (offset: number): number => {
    const value = view.getUint32(offset, true);
    if (value !== IN_FIELD_64 || field === undefined) return value;
    if (at + 8 > field.byteLength) throw malformed("an entry lacks its size");
    at += 8;
    return integer64(field, at - 8);
  };
  return [take(24), take(20), take(42)];
}

function fieldsOf(view: DataView, at: number, length: number): Map<number, DataView> {
  const fields = new Map<number, DataView>();
  for (let offset = at; offset + 4 <= at + length;) {
    const fieldBytes = view.getUint16(offset + 2, true);
    if (offset + 4 + fieldBytes > at + length) break;
    fields.set(view.getUint16(offset, true), new DataView(view.buffer, view.byteOffset + offset + 4, fieldBytes));
    offset += 4 + fieldBytes;
  }
  return fields;
}

/** What is not marked as UTF-8 often is all the same; what cannot be is code page 437, as the format has it. */
function nameOf(bytes: Uint8Array, isUtf8: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (isUtf8) throw new StarfishError("malformed", "A zip with a name that is not UTF-8", { cause: error });
    return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : CODE_PAGE_437[byte - 0x80])).join("");
  }
}

/** Characters 0x80 to 0xff of the code page in which DOS wrote names. */
const CODE_PAGE_437: string =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐" +
  "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** DOS wrote the local time, in steps of two seconds, and so do all who followed. */
function dosTimeMs(time: number, date: number): number {
  const day = [(date >> 9) + 1980, ((date >> 5) & 15) - 1, date & 31] as const;
  return new Date(...day, time >> 11, (time >> 5) & 63, (time & 31) * 2).getTime();
}

function integer64(view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw malformed("a number in it is too large");
  return value;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function malformed(what: string): StarfishError {
  return new StarfishError("malformed", `Not a whole zip: ${what}`);
}
