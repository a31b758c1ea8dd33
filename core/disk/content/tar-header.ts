/**
 * The 512 bytes before each entry of a tar, in the forms that are in use: those of Unix version 7, of POSIX (ustar), of
 * GNU tar and of star (https://www.gnu.org/software/tar/manual/html_node/Standard.html).
 */
import type { Bytes } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { text } from "../../base/bytes.ts";
import type { Run } from "./tar-sparse.ts";

export const TAR_BLOCK_BYTES = 512;

export interface TarHeader {
  readonly name: Bytes;
  readonly linkName: Bytes;
  /** One character; NUL in the oldest form. */
  readonly type: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly form: "v7" | "ustar" | "gnu" | "star";
}

/** Places of the fields, [from, to). */
const NAME = [0, 100] as const;
const SIZE = [124, 136] as const;
const MODIFIED = [136, 148] as const;
const SUM = [148, 156] as const;
const TYPE_AT = 156;
const LINK_NAME = [157, 257] as const;
const MAGIC = [257, 265] as const;
const PREFIX = [345, 500] as const;
/** Star's own fields follow a shorter prefix, and its mark. */
const STAR_PREFIX = [345, 476] as const;
const STAR_MAGIC = [508, 512] as const;

/** GNU's sparse files: the first runs, whether more follow in blocks of their own, and the length with the holes. */
const SPARSE_AT = 386;
const SPARSE_RUNS = 4;
const SPARSE_MORE_AT = 482;
const SPARSE_SIZE = [483, 495] as const;
/** A block of more runs. */
const MORE_RUNS = 21;
const MORE_MORE_AT = 504;
const NUMBER_BYTES = 12;

export function isZero(block: Bytes): boolean {
  return block.every((byte) => byte === 0);
}

/** Whether the sum in the header is that of its bytes: nothing else tells a header from other bytes. */
export function isHeader(block: Bytes): boolean {
  if (block.length < TAR_BLOCK_BYTES) return false;
  let sum = 0;
  let signedSum = 0;
  for (let at = 0; at < TAR_BLOCK_BYTES; at++) {
    const byte = at >= SUM[0] && at < SUM[1] ? 0x20 : (block[at] ?? 0);
    sum += byte;
    // Some old writers took bytes for signed.
    signedSum += byte > 127 ? byte - 256 : byte;
  }
  const told = octal(field(block, SUM));
  return told === sum || told === signedSum;
}

/** Throws "malformed" on numbers that no archive has. */
export function parseHeader(block: Bytes): TarHeader {
  const form = formOf(block);
  const name = untilNul(field(block, NAME));
  const prefix = form === "ustar" ? PREFIX : form === "star" ? STAR_PREFIX : undefined;
  return {
    name: prefix === undefined ? name.slice() : joined(untilNul(field(block, prefix)), name),
    linkName: untilNul(field(block, LINK_NAME)).slice(),
    type: String.fromCharCode(block[TYPE_AT] ?? 0),
    sizeBytes: sizeOf(field(block, SIZE)),
    modifiedMs: number(field(block, MODIFIED)) * 1_000,
    form,
  };
}

function formOf(block: Bytes): TarHeader["form"] {
  const magic = text(field(block, MAGIC));
  if (magic === "ustar  \0") return "gnu";
  if (!magic.startsWith("ustar")) return "v7";
  return text(field(block, STAR_MAGIC)) === "tar\0" ? "star" : "ustar";
}

/** The runs in the header of a sparse file of GNU's old form. */
export function sparseHeader(block: Bytes): { runs: Run[]; hasMore: boolean; sizeBytes: number } {
  return {
    runs: runsAt(block, SPARSE_AT, SPARSE_RUNS),
    hasMore: block[SPARSE_MORE_AT] === 1,
    sizeBytes: sizeOf(field(block, SPARSE_SIZE)),
  };
}

export function sparseBlock(block: Bytes): { runs: Run[]; hasMore: boolean } {
  return { runs: runsAt(block, 0, MORE_RUNS), hasMore: block[MORE_MORE_AT] === 1 };
}

function runsAt(block: Bytes, from: number, most: number): Run[] {
  const runs: Run[] = [];
  for (let i = 0; i < most; i++) {
    const at = from + 2 * NUMBER_BYTES * i;
    if (block[at] === 0) break;
    const offset = sizeOf(block.subarray(at, at + NUMBER_BYTES));
    runs.push({ offset, length: sizeOf(block.subarray(at + NUMBER_BYTES, at + 2 * NUMBER_BYTES)) });
  }
  return runs;
}

function sizeOf(bytes: Bytes): number {
  const value = number(bytes);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new StarfishError("malformed", `A tar with an entry of ${value} bytes`);
}

/**
 * Octal digits. Or, if the highest bit is set, the number itself as bytes (GNU, for numbers that are too large for
 * octal digits).
 */
function number(bytes: Bytes): number {
  const [first = 0] = bytes;
  if ((first & 0x80) === 0) return octal(bytes);
  // The bit after the mark is the sign.
  let value = (first & 0x40) === 0 ? first & 0x3f : (first & 0x3f) - 0x40;
  for (const byte of bytes.subarray(1)) value = value * 256 + byte;
  return value;
}

function octal(bytes: Bytes): number {
  // One NUL before the digits is what writers leave that overflow the field before, as GNU tar has it.
  const [, digits = ""] = /^\0?[ \t]*(-?[0-7]+)/.exec(text(bytes)) ?? [];
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function field(block: Bytes, [from, to]: readonly [number, number]): Bytes {
  return block.subarray(from, to);
}

export function untilNul(bytes: Bytes): Bytes {
  const end = bytes.indexOf(0);
  return end === -1 ? bytes : bytes.subarray(0, end);
}

function joined(prefix: Bytes, name: Bytes): Bytes {
  if (prefix.length === 0) return name.slice();
  const whole = new Uint8Array(prefix.length + 1 + name.length);
  whole.set(prefix);
  whole[prefix.length] = 0x2f;
  whole.set(name, prefix.length + 1);
  return whole;
}
