/**
 * How the two sides of a reconciliation tell each other about ranges of keys, as bytes. The ranges of a message follow
 * each other from the beginning of all keys to its end; each is
 *
 *     kind      1 byte (bits 0-2), and whether it has no upper bound (128)
 *     bound     the first key that is not in it: how many UTF-16 units it shares with the bound before (varint), the
 *               length of the rest in UTF-8 (varint), the rest
 *     SUM       how many entries (varint), the sum of their digests (8 bytes)
 *     LIST      how many (varint), their ids (6 bytes each): all that the sender has there
 *     WANT      likewise: ids of the receiver's LIST that the sender lacks
 *     SKIP, ALL nothing: there is nothing (more) to do; the receiver is to send all that it has there
 */
import type { Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { Reader } from "./pack.ts";

export const SKIP = 0;
export const SUM = 1;
export const LIST = 2;
export const ALL = 3;
export const WANT = 4;

/** `to` undefined: to the end of all keys. A range begins where the one before it ends. */
export type Range =
  | { readonly to: string | undefined; readonly kind: typeof SKIP }
  | { readonly to: string | undefined; readonly kind: typeof ALL }
  | {
      readonly to: string | undefined;
      readonly kind: typeof SUM;
      readonly count: number;
      readonly a: number;
      readonly b: number;
    }
  | { readonly to: string | undefined; readonly kind: typeof LIST; readonly ids: readonly number[] }
  | { readonly to: string | undefined; readonly kind: typeof WANT; readonly ids: readonly number[] };

const UNBOUNDED = 128;
const KIND = 7;
const ID_BYTES = 6;
const WORD: number = 2 ** 32;
const encoder = new TextEncoder();

/** 48 bits of a digest: enough to tell the few entries of one range apart (2 in 10^12 such lists mistake one). */
export function idOf(a: number, b: number): number {
  return (b & 0xffff) * WORD + (a >>> 0);
}

/** Writes ranges. Neighbouring ranges of which nothing is asked are joined, and left out at the end. */
export class RangeWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(512);
  #length = 0;
  #bound = "";
  /** Upper bound of a SKIP that is not written yet. */
  #skipped: string | undefined;

  get length(): number {
    return this.#length;
  }

  add(range: Range): void {
    if (range.kind === SKIP) {
      this.#skipped = range.to;
      return;
    }
    if (this.#skipped !== undefined) this.#head(SKIP, this.#skipped);
    this.#skipped = undefined;
    this.#head(range.kind, range.to);
    if (range.kind === SUM) {
      this.#varint(range.count);
      this.#word(range.a);
      this.#word(range.b);
    } else if (range.kind === LIST || range.kind === WANT) {
      this.#varint(range.ids.length);
      this.#reserve(range.ids.length * ID_BYTES);
      for (const id of range.ids) {
        this.#word(id % WORD);
        this.#push(Math.floor(id / WORD) & 0xff);
        this.#push(Math.floor(id / WORD) >>> 8);
      }
    }
  }

  /** Empty when nothing is asked. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #head(kind: number, to: string | undefined): void {
    if (to === undefined) return this.#byte(kind | UNBOUNDED);
    let shared = 0;
    while (shared < to.length && to.charCodeAt(shared) === this.#bound.charCodeAt(shared)) shared++;
    // Half a surrogate pair has no UTF-8.
    if (shared > 0 && isHighSurrogate(to.charCodeAt(shared - 1))) shared--;
    const rest = encoder.encode(to.slice(shared));
    this.#byte(kind);
    this.#varint(shared);
    this.#varint(rest.length);
    this.#reserve(rest.length);
    this.#bytes.set(rest, this.#length);
    this.#length += rest.length;
    this.#bound = to;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#byte((rest & 127) | 128);
      rest >>>= 7;
    }
    this.#byte(rest);
  }

  #word(value: number): void {
    this.#reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.#push((value >>> shift) & 0xff);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#push(value);
  }

  #push(value: number): void {
    this.#bytes[this.#length++] = value;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** The ranges of a message, in order. Throws StarfishError "malformed". */
export function* readRanges(bytes: Bytes): Generator<Range, void, undefined> {
  const reader = new Reader(bytes);
  let bound = "";
  while (!reader.done) {
    const head = reader.byte();
    let to: string | undefined;
    if ((head & UNBOUNDED) === 0) {
      const shared = reader.varint();
      if (shared > bound.length) throw new StarfishError("malformed", "A bound that shares more than there is");
      to = bound.slice(0, shared) + reader.text(reader.varint());
      if (to <= bound) throw new StarfishError("malformed", "Ranges that do not ascend");
      bound = to;
    } else if ((head & ~(UNBOUNDED | KIND)) !== 0) {
      throw new StarfishError("malformed", "A range of an unknown kind");
    }
    yield readRange(reader, head & KIND, to);
    if (to === undefined && !reader.done) throw new StarfishError("malformed", "Bytes after the last range");
  }
}

function readRange(reader: Reader, kind: number, to: string | undefined): Range {
  if (kind === SKIP || kind === ALL) return { to, kind };
  if (kind === SUM) return { to, kind, count: reader.varint(), a: reader.word(), b: reader.word() };
  if (kind !== LIST && kind !== WANT) throw new StarfishError("malformed", "A range of an unknown kind");
  const ids: number[] = [];
  for (let left = reader.varint(); left > 0; left--) ids.push(reader.uint48());
  return { to, kind, ids };
}

/** The shortest text above `before` and not above `at`: it separates two neighbours. */
export function separator(before: string, at: string): string {
  let shared = 0;
  while (shared < before.length && before.charCodeAt(shared) === at.charCodeAt(shared)) shared++;
  if (isHighSurrogate(at.charCodeAt(shared))) shared++;
  return at.slice(0, shared + 1);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
