/**
 * Ideal sealing. Content is sealed by the world's ideal cryptography under a key that is drawn for it. For each reader
 * this key is sealed under another key, which only the simulator can derive from the reader's public key. Sealing and
 * opening answer within the turn, and repeat with the seed.
 */
import { type Bytes, concat, equal, utf8 } from "../../core/base/bytes.ts";
import { StarfishError } from "../../core/base/errors.ts";
import type { Age } from "../../core/ports/age.ts";
import type { Crypto } from "../../core/ports/crypto.ts";
import type { Random } from "../../core/ports/random.ts";

const MAGIC = utf8("ideal age\n");
const KEY_BYTES = 32;
const NONCE_BYTES = 24;
const TAG_BYTES = 16;
const WRAP_BYTES: number = NONCE_BYTES + KEY_BYTES + TAG_BYTES;
const CHUNK_BYTES: number = 64 * 1024;
const NOTHING = new Uint8Array();

export class IdealAge implements Age {
  readonly #universe: Uint8Array;
  readonly #crypto: Crypto;
  readonly #random: Random;

  constructor(seed: string, crypto: Crypto, random: Random) {
    this.#universe = utf8(`ideal age of ${seed}`);
    this.#crypto = crypto;
    this.#random = random;
  }

  publicKey(secret: Bytes): Uint8Array {
    return this.#crypto.keyPair(secret).publicKey;
  }

  async *seal(source: AsyncIterable<Bytes>, readers: readonly Bytes[]): AsyncGenerator<Uint8Array, void, undefined> {
    if (readers.some(({ length }) => length !== KEY_BYTES)) throw new StarfishError("malformed", "no key");
    const key = this.#random.bytes(KEY_BYTES);
    const head = concat([MAGIC, Uint8Array.of(readers.length), ...readers.map((reader) => this.#wrap(key, reader))]);
    yield head;
    let held: Bytes = NOTHING;
    let count = 0;
    for await (const piece of source) {
      held = concat([held, piece]);
      while (held.length > CHUNK_BYTES) {
        yield this.#chunk(key, count++, held.slice(0, CHUNK_BYTES), false, head);
        held = held.slice(CHUNK_BYTES);
      }
    }
    yield this.#chunk(key, count, held, true, head);
  }

  async *open(sealed: AsyncIterable<Bytes>, secrets: readonly Bytes[]): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = new Pieces(sealed);
    try {
      const magic = await reader.exactly(MAGIC.length);
      if (!equal(magic, MAGIC)) throw notOpened();
      const [readers = 0] = await reader.exactly(1);
      const wraps = await reader.exactly(readers * WRAP_BYTES);
      const head = concat([magic, Uint8Array.of(readers), wraps]);
      const key = this.#unwrap(wraps, secrets);
      if (key === undefined) throw notOpened();
      for (let count = 0; ; count++) {
        const chunk = await reader.upTo(CHUNK_BYTES + TAG_BYTES);
        const isLast = await reader.isOver();
        const opened = this.#crypto.open(key, nonceOf(count, isLast), chunk, head);
        if (opened === undefined) throw notOpened();
        if (opened.length > 0) yield opened;
        if (isLast) return;
      }
    } finally {
      await reader.close();
    }
  }

  #chunk(key: Bytes, count: number, bytes: Bytes, isLast: boolean, head: Bytes): Uint8Array {
    return this.#crypto.seal(key, nonceOf(count, isLast), bytes, head);
  }

  #wrap(key: Bytes, reader: Bytes): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES);
    return concat([nonce, this.#crypto.seal(this.#keyFor(reader), nonce, key, NOTHING)]);
  }

  #unwrap(wraps: Bytes, secrets: readonly Bytes[]): Uint8Array | undefined {
    for (const secret of secrets) {
      const own = this.#keyFor(this.publicKey(secret));
      for (let at = 0; at < wraps.length; at += WRAP_BYTES) {
        const nonce = wraps.subarray(at, at + NONCE_BYTES);
        const key = this.#crypto.open(own, nonce, wraps.subarray(at + NONCE_BYTES, at + WRAP_BYTES), NOTHING);
        if (key !== undefined) return key;
      }
    }
    return undefined;
  }

  #keyFor(reader: Bytes): Uint8Array {
    return this.#crypto.derive(concat([this.#universe, reader]), "reader", KEY_BYTES);
  }
}

function nonceOf(count: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setUint32(0, count);
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0;
  return nonce;
}

function notOpened(): StarfishError {
  return new StarfishError("malformed", "It is sealed for somebody else, or has been changed");
}

/** A stream that can be read in any lengths. */
class Pieces {
  readonly #source: AsyncIterator<Bytes>;
  #held: Bytes = NOTHING;

  constructor(source: AsyncIterable<Bytes>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async exactly(length: number): Promise<Uint8Array> {
    const bytes = await this.upTo(length);
    if (bytes.length < length) throw notOpened();
    return bytes;
  }

  async upTo(length: number): Promise<Uint8Array> {
    while (this.#held.length < length && (await this.#more()));
    const bytes = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return bytes;
  }

  async isOver(): Promise<boolean> {
    while (this.#held.length === 0) if (!(await this.#more())) return true;
    return false;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done === true) return false;
    this.#held = concat([this.#held, next.value]);
    return true;
  }
}
