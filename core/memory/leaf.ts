/**
 * Neighbouring entries of a map in few objects, since an object for each would cost more than most entries. Keys are
 * strings, because they are compared all the time. The digest and the place of a key are three numbers. Everything else
 * is in one array of bytes, one record (record.ts) after the other in the order in which they came. Replaced and
 * removed records leave their bytes behind. They are cleared away when the array would have to grow and they are a
 * quarter of it, or when they are half of it.
 */
import type { Entry, EntryHead } from "./entry.ts";
import { readHead, readValue, recordBytes, recordBytesOf, writeRecord } from "./record.ts";

/** Numbers for each key: the digest's halves, and where its record begins. */
const ROW = 3;
/** This many rows are made at a time. */
const ROWS_STEP = 32;
/** The place of a record that is being replaced by a longer one. */
const NOWHERE = -1;

export interface Sum {
  count: number;
  /** Sums of the digests' halves modulo 2^32, as signed integers. */
  a: number;
  b: number;
}

/** A key with its digest. */
export interface Indexed {
  readonly key: string;
  readonly a: number;
  readonly b: number;
}

export class Leaf {
  keys: string[] = [];
  #rows = new Int32Array(0);
  #bytes = new Uint8Array(0);
  #used = 0;
  #dead = 0;
  /** The sums of all digests. */
  #a = 0;
  #b = 0;

  /** The place of the first key that is not below `key`. */
  search(key: string): number {
    const { keys } = this;
    let low = 0;
    let high = keys.length;
    // Keys that come in order.
    if (high > 0 && (keys[high - 1] as string) < key) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(at: number, key: string, entry: Entry, a: number, b: number): void {
    const { length } = this.keys;
    if (this.#rows.length < ROW * (length + 1)) this.#growRows(length + 1);
    const place = this.#append(entry);
    this.#rows.copyWithin(ROW * (at + 1), ROW * at, ROW * length);
    if (at === length) this.keys.push(key);
    else this.keys.splice(at, 0, key);
    this.#set(at, a, b, place);
  }

  replace(at: number, entry: Entry, a: number, b: number): void {
    const before = this.#recordBytes(at);
    const size = recordBytesOf(entry);
    this.#subtract(at);
    let place = this.#place(at);
    if (size <= before) {
      writeRecord(this.#bytes, place, entry);
      this.#dead += before - size;
    } else {
      this.#dead += before;
      this.#rows[ROW * at + 2] = NOWHERE;
      place = this.#append(entry);
    }
    this.#set(at, a, b, place);
  }

  remove(at: number): void {
    this.#dead += this.#recordBytes(at);
    this.#subtract(at);
    this.#rows.copyWithin(ROW * at, ROW * (at + 1), ROW * this.keys.length);
    this.keys.splice(at, 1);
    if (this.#dead > this.#used / 2) this.#compact(0);
  }

  /** Cuts off the keys from `at` on. */
  split(at: number): Leaf {
    const right = new Leaf();
    right.#take(this, at);
    this.keys = this.keys.slice(0, at);
    this.#dead += right.#used;
    this.#a = (this.#a - right.#a) | 0;
    this.#b = (this.#b - right.#b) | 0;
    this.#compact(0);
    return right;
  }

  /** Takes in the keys of the leaf that follows. */
  append(next: Leaf): void {
    this.#take(next, 0);
  }

  addTo(sum: Sum, from: number, to: number): void {
    sum.count += to - from;
    if (from === 0 && to === this.keys.length) {
      sum.a = (sum.a + this.#a) | 0;
      sum.b = (sum.b + this.#b) | 0;
      return;
    }
    const rows = this.#rows;
    for (let i = ROW * from; i < ROW * to; i += ROW) {
      sum.a = (sum.a + (rows[i] as number)) | 0;
      sum.b = (sum.b + (rows[i + 1] as number)) | 0;
    }
  }

  indexed(at: number): Indexed {
    const rows = this.#rows;
    return { key: this.keys[at] as string, a: rows[ROW * at] as number, b: rows[ROW * at + 1] as number };
  }

  head(at: number): EntryHead {
    return readHead(this.#bytes, this.#place(at));
  }

  /** A view, valid until the leaf changes; empty if the value is kept elsewhere. */
  value(at: number): Uint8Array {
    return readValue(this.#bytes, this.#place(at));
  }

  #place(at: number): number {
    return this.#rows[ROW * at + 2] as number;
  }

  #recordBytes(at: number): number {
    return recordBytes(this.#bytes, this.#place(at));
  }

  /** Writes a record behind the others; gives its place. */
  #append(entry: Entry): number {
    const size = recordBytesOf(entry);
    const needed = this.#used + size;
    if (needed > this.#bytes.length) {
      if (this.#dead > this.#used / 4) this.#compact(size);
      else this.#growBytes(needed);
    }
    const place = this.#used;
    writeRecord(this.#bytes, place, entry);
    this.#used += size;
    return place;
  }

  /** Moves the records together, and makes room for that many more bytes. */
  #compact(more: number): void {
    const before = this.#bytes;
    this.#bytes = new Uint8Array(withSlack(this.#used - this.#dead + more));
    this.#used = 0;
    this.#dead = 0;
    for (let at = 0; at < this.keys.length; at++) {
      const place = this.#place(at);
      if (place !== NOWHERE) this.#rows[ROW * at + 2] = this.#copy(before, place);
    }
  }

  /** Appends another leaf's keys, from `from` on. */
  #take(other: Leaf, from: number): void {
    const { length } = other.keys;
    let bytes = 0;
    for (let at = from; at < length; at++) bytes += other.#recordBytes(at);
    this.#growBytes(this.#used + bytes);
    this.#growRows(this.keys.length + length - from);
    for (let at = from; at < length; at++) {
      const { key, a, b } = other.indexed(at);
      const place = this.#copy(other.#bytes, other.#place(at));
      this.keys.push(key);
      this.#set(this.keys.length - 1, a, b, place);
    }
  }

  #copy(from: Uint8Array, at: number): number {
    const place = this.#used;
    const length = recordBytes(from, at);
    this.#bytes.set(from.subarray(at, at + length), place);
    this.#used += length;
    return place;
  }

  #growBytes(needed: number): void {
    const grown = new Uint8Array(withSlack(needed));
    grown.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = grown;
  }

  #growRows(count: number): void {
    const grown = new Int32Array(ROW * ROWS_STEP * Math.ceil(count / ROWS_STEP));
    grown.set(this.#rows.subarray(0, Math.min(this.#rows.length, grown.length)));
    this.#rows = grown;
  }

  /** Sets a row that does not count yet. */
  #set(at: number, a: number, b: number, place: number): void {
    const rows = this.#rows;
    rows[ROW * at] = a;
    rows[ROW * at + 1] = b;
    rows[ROW * at + 2] = place;
    this.#a = (this.#a + a) | 0;
    this.#b = (this.#b + b) | 0;
  }

  /** The digest of a row that is about to change or go. */
  #subtract(at: number): void {
    this.#a = (this.#a - (this.#rows[ROW * at] as number)) | 0;
    this.#b = (this.#b - (this.#rows[ROW * at + 1] as number)) | 0;
  }
}

/** A leaf grows by an eighth, or by this if it is small: growing copies all that it has. */
const SLACK_BYTES_MIN = 1_024;

/** Adds some room, so that not every new record makes the array grow. */
function withSlack(bytes: number): number {
  return bytes + Math.max(bytes >>> 3, SLACK_BYTES_MIN);
}
