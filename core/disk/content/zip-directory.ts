/** The directory at the end of a zip, read a piece at a time. Sections named here are those of PKWARE's APPNOTE. */
import { equal, toHex, utf8 } from "../../base/bytes.ts";
import { isStarfishError, StarfishError, throwIfAborted } from "../../base/errors.ts";
import { crc32 } from "./crc32.ts";
import { READ_BYTES, ZIP_ENTRIES_MAX } from "./limits.ts";
import { type RandomAccess, readExactly } from "./random-access.ts";
import { cleanPath, shownPath, utf8Path } from "./tree-entry.ts";

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
  /** The position of the header before its bytes. */
  readonly headerAt: number;
}

/** An entry that can't be read; the others can. */
export interface BadRecord {
  readonly kind: "bad";
  /** In a readable form. */
  readonly path: string;
  readonly why: string;
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
/** Info-ZIP's field of the name in UTF-8. */
const FIELD_NAME = 0x7075;
const IS_UTF8 = 0x0800;
/** File types in the upper half of the attributes, where the zip was made on Unix. */
const UNIX = 3;
const DOS = 0;
const TYPE_MASK = 0o170000;
const TYPE_FOLDER = 0o040000;
const TYPE_SYMLINK = 0o120000;

/** How many entries there are is not read: writers without zip64 count modulo 65,536. */
interface Directory {
  readonly at: number;
  readonly sizeBytes: number;
  /** Bytes before the zip that its offsets do not count. */
  readonly shift: number;
}

export async function* readZipDirectory(
  source: RandomAccess,
  signal?: AbortSignal,
): AsyncGenerator<ZipRecord | BadRecord> {
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
  const names = new Names();
  let at = directory.at;
  for (let count = 0; at < end; count++) {
    throwIfAborted(signal);
    if (count === ZIP_ENTRIES_MAX) throw new StarfishError("too-large", "A zip of too many entries");
    const fixed = await read(at, RECORD_BYTES);
    if (fixed.getUint32(0, true) !== RECORD) throw malformed("its directory is damaged");
    const length = RECORD_BYTES + fixed.getUint16(28, true) + fixed.getUint16(30, true) + fixed.getUint16(32, true);
    const view = await read(at, length);
    yield names.checked(recordOf(view, directory.shift), view);
    at += length;
  }
}

/**
 * Two files whose names differ only in bytes are two files for their author; under one name the later would replace the
 * earlier.
 */
class Names {
  /** The bytes of each path's name, as text; undefined: those of the path. */
  readonly #bytes = new Map<string, string | undefined>();

  checked(record: ZipRecord | BadRecord, view: DataView): ZipRecord | BadRecord {
    const { kind, path } = record;
    if (kind === "bad" || kind === "folder") return record;
    const bytes = new Uint8Array(view.buffer, view.byteOffset + RECORD_BYTES, view.getUint16(28, true));
    const name = equal(bytes, utf8(path)) ? undefined : toHex(bytes);
    if (this.#bytes.has(path) && this.#bytes.get(path) !== name) {
      return { kind: "bad", path, why: "another entry has this name, in other bytes" };
    }
    this.#bytes.set(path, name);
    return record;
  }
}

/**
 * Finds the directory: it belongs to the last end mark that leads to one. Bytes may stand before the zip (a program
 * that unpacks it) and after it, as Info-ZIP takes them; and a comment may contain what looks like an end.
 */
async function findDirectory(source: RandomAccess): Promise<Directory> {
  const tailBytes = Math.min(source.sizeBytes, END_BYTES + COMMENT_BYTES_MAX);
  const tailAt = source.sizeBytes - tailBytes;
  const tail = viewOf(await readExactly(source, tailAt, tailBytes));
  let reason: StarfishError | undefined;
  for (const isExact of [true, false]) {
    for (let at = tailBytes - END_BYTES; at >= 0; at--) {
      if (tail.getUint32(at, true) !== END) continue;
      const isLast = at + END_BYTES + tail.getUint16(at + 20, true) === tailBytes;
      if (isLast !== isExact) continue;
      const plain = { sizeBytes: tail.getUint32(at + 12, true), at: tail.getUint32(at + 16, true) };
      try {
        const told = (await findDirectory64(source, tailAt + at)) ?? { ...plain, endAt: tailAt + at };
        return await placed(source, told);
      } catch (error) {
        if (!isStarfishError(error, "malformed")) throw error;
        reason ??= error;
      }
    }
  }
  throw reason ?? malformed("it has no directory");
}

interface ToldDirectory {
  readonly at: number;
  readonly sizeBytes: number;
  /** The position of its end. */
  readonly endAt: number;
}

/**
 * The position of the directory: moved by bytes that were put before the zip, or where the zip says. Throws "malformed"
 * if it is at neither.
 */
async function placed(source: RandomAccess, { at, sizeBytes, endAt }: ToldDirectory): Promise<Directory> {
  const moved = endAt - sizeBytes;
  if (sizeBytes === 0) return { at: moved, sizeBytes, shift: 0 };
  for (const candidate of moved === at ? [at] : [moved, at]) {
    if (candidate < 0 || candidate + Math.max(sizeBytes, RECORD_BYTES) > source.sizeBytes) continue;
    const mark = viewOf(await readExactly(source, candidate, 4));
    if (mark.getUint32(0, true) === RECORD) return { at: candidate, sizeBytes, shift: candidate - at };
  }
  throw malformed("its directory is not where it says");
}

async function findDirectory64(source: RandomAccess, endAt: number): Promise<ToldDirectory | undefined> {
  const locatorAt = endAt - LOCATOR_64_BYTES;
  if (locatorAt < 0) return undefined;
  const locator = viewOf(await readExactly(source, locatorAt, LOCATOR_64_BYTES));
  if (locator.getUint32(0, true) !== LOCATOR_64) return undefined;
  // If there are bytes before the zip, it is not at the stated place but just before its locator; it may have fields of
  // its own at its end.
  for (const at of [integer64(locator, 8), locatorAt - END_64_BYTES]) {
    if (at < 0 || at + END_64_BYTES > source.sizeBytes) continue;
    const end = viewOf(await readExactly(source, at, END_64_BYTES));
    if (end.getUint32(0, true) !== END_64) continue;
    return { sizeBytes: integer64(end, 40), at: integer64(end, 48), endAt: at };
  }
  throw malformed("its directory is not where it says");
}

function recordOf(view: DataView, shift: number): ZipRecord | BadRecord {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + RECORD_BYTES, view.getUint16(28, true));
  const fields = fieldsOf(view, RECORD_BYTES + bytes.length, view.getUint16(30, true));
  const flags = view.getUint16(8, true);
  const time = fields.get(FIELD_TIME);
  const hasTime = time !== undefined && time.byteLength >= 5 && (time.getUint8(0) & 1) === 1;
  try {
    const name = slashed(nameOf(bytes, fields.get(FIELD_NAME), (flags & IS_UTF8) !== 0), view.getUint8(5));
    const kind = kindOf(view, name);
    const path = cleanPath(name);
    if (path === "" && kind !== "folder") throw new StarfishError("malformed", "it has no name");
    const [sizeBytes, packedBytes, headerAt] = sizesOf(view, fields.get(FIELD_64));
    return {
      kind,
      path,
      sizeBytes,
      packedBytes,
      modifiedMs: hasTime
        ? time.getInt32(1, true) * 1_000
        : dosTimeMs(view.getUint16(12, true), view.getUint16(14, true)),
      flags,
      method: view.getUint16(10, true),
      crc: view.getUint32(16, true),
      headerAt: headerAt + shift,
    };
  } catch (error) {
    if (!isStarfishError(error)) throw error;
    return { kind: "bad", path: shownPath(bytes), why: error.message };
  }
}

/**
 * Zips made by Windows itself separate names with backslashes; from other systems a backslash is part of a name.
 * Info-ZIP does the same.
 */
function slashed(name: string, madeOn: number): string {
  return madeOn === DOS && !name.includes("/") ? name.replaceAll("\\", "/") : name;
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

/**
 * A name that is not marked as UTF-8 often is UTF-8; if it cannot be, it is in code page 437, as the format says.
 * Info-ZIP's field has the name in UTF-8, too, and counts if it belongs to the same bytes.
 */
function nameOf(bytes: Uint8Array, field: DataView | undefined, isUtf8: boolean): string {
  const told = field && nameInField(field, bytes);
  if (told !== undefined) return told;
  if (isUtf8) return utf8Path(bytes);
  try {
    return utf8Path(bytes);
  } catch {
    return Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : CODE_PAGE_437[byte - 0x80])).join("");
  }
}

/** Section 4.6.9: version, CRC of the name in the record, the name. */
function nameInField(field: DataView, bytes: Uint8Array): string | undefined {
  if (field.byteLength < 5 || field.getUint8(0) !== 1 || field.getUint32(1, true) !== crc32(bytes)) return undefined;
  const name = new Uint8Array(field.buffer, field.byteOffset + 5, field.byteLength - 5);
  try {
    return utf8Path(name);
  } catch {
    return undefined;
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
