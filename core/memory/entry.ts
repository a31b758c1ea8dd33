/**
 * One key's newest write, and the order of writes: the greater version wins. Honest nodes don't make two writes with
 * one version, but a clock that was set back might lead to it; then the greater value wins, so that all nodes choose
 * alike.
 *
 * A deletion is an entry too, and so is one that has run out: it keeps its version and its digest, and only the value
 * goes.
 */
import { HalfSipHash } from "../base/halfsiphash.ts";

export const LIVE = 0;
export const DELETED = 1;
export const EXPIRED = 2;
export type EntryState = typeof LIVE | typeof DELETED | typeof EXPIRED;

interface Versioned {
  readonly stamp: number;
  readonly writer: number;
  readonly state: EntryState;
  readonly expiresAtMs: number | undefined;
}

export interface Entry extends Versioned {
  /** LIVE: the value's CBOR, as byte text. DELETED: empty. EXPIRED: the 8 bytes of the value's hash, as byte text. */
  readonly value: string;
}

/** All of an entry except its value. */
export interface EntryHead extends Versioned {
  readonly valueBytes: number;
}

const NO_VALUE: { readonly a: number; readonly b: number } = { a: 0, b: 0 };

/** Digests of entries under the swarm's key: equal for equal writes, expired or not, and unpredictable to strangers. */
export class Digester {
  readonly #hash: HalfSipHash;
  /** The result of `digest`. */
  a = 0;
  b = 0;

  /** `key` has 8 bytes at least. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    this.#hash = new HalfSipHash(view.getInt32(0, true), view.getInt32(4, true));
  }

  /** Puts the digest into `a` and `b`. */
  digest(key: string, entry: Entry): void {
    const hash = this.#hash;
    const value = this.valueHash(entry);
    hash.begin();
    hash.text(key);
    hash.integer(entry.stamp);
    hash.integer(entry.writer);
    hash.integer(entry.expiresAtMs ?? 0);
    hash.word(value.a);
    hash.word(value.b);
    hash.end();
    this.a = hash.a;
    this.b = hash.b;
  }

  /** The value of an expired entry. */
  valueHash({ state, value }: Entry): { readonly a: number; readonly b: number } {
    if (state === DELETED) return NO_VALUE;
    if (state === EXPIRED) return { a: readWord(value, 0), b: readWord(value, 4) };
    const hash = this.#hash;
    hash.begin();
    hash.byteText(value);
    hash.end();
    return { a: hash.a, b: hash.b };
  }

  /** The entry after its time. */
  expired(entry: Entry): Entry {
    if (entry.state !== LIVE) return entry;
    const { a, b } = this.valueHash(entry);
    return { ...entry, state: EXPIRED, value: wordText(a) + wordText(b) };
  }

  /** Positive if `x` wins over `y`, zero if they are the same write. */
  compare(x: Entry, y: Entry): number {
    if (x.stamp !== y.stamp) return x.stamp - y.stamp;
    if (x.writer !== y.writer) return x.writer - y.writer;
    const [xHash, yHash] = [this.valueHash(x), this.valueHash(y)];
    return xHash.a - yHash.a || xHash.b - yHash.b || (x.expiresAtMs ?? 0) - (y.expiresAtMs ?? 0);
  }
}

function readWord(text: string, at: number): number {
  return (
    text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)
  );
}

function wordText(word: number): string {
  return String.fromCharCode(word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24);
}
