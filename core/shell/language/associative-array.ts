/**
 * An associative array of the shell. Its elements come in bash's order, which follows from bash's hash table (FNV-1,
 * 1,024 buckets, the newest first in a bucket), so that scripts written for bash print the same here.
 */
import { encodeText } from "./bytes.ts";

/** bash 5.2: ASSOC_HASH_BUCKETS, HASH_REHASH_FACTOR, HASH_REHASH_MULTIPLIER. */
const BUCKETS_FIRST = 1024;
const ENTRIES_A_BUCKET_MAX = 2;
const GROWTH = 4;

export class AssociativeArray extends Map<string, string> {
  #buckets = BUCKETS_FIRST;
  #ordered: readonly string[] | undefined;

  override set(key: string, value: string): this {
    if (!this.has(key)) {
      if (this.size >= ENTRIES_A_BUCKET_MAX * this.#buckets) this.#buckets *= GROWTH;
      this.#ordered = undefined;
    }
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    this.#ordered = undefined;
    return super.delete(key);
  }

  override clear(): void {
    this.#ordered = undefined;
    super.clear();
  }

  copy(): AssociativeArray {
    return AssociativeArray.of(super.entries());
  }

  static of(entries: Iterable<readonly [string, string]>): AssociativeArray {
    const array = new AssociativeArray();
    for (const [key, value] of entries) array.set(key, value);
    return array;
  }

  override *keys(): MapIterator<string> {
    yield* this.#inOrder();
    return undefined;
  }

  override *values(): MapIterator<string> {
    for (const key of this.#inOrder()) yield this.get(key) ?? "";
    return undefined;
  }

  override *entries(): MapIterator<[string, string]> {
    for (const key of this.#inOrder()) yield [key, this.get(key) ?? ""];
    return undefined;
  }

  override [Symbol.iterator](): MapIterator<[string, string]> {
    return this.entries();
  }

  #inOrder(): readonly string[] {
    if (this.#ordered !== undefined) return this.#ordered;
    const placed = [...super.keys()].map((key, i) => ({ key, i, bucket: hash(key) % this.#buckets }));
    placed.sort((a, b) => a.bucket - b.bucket || b.i - a.i);
    return (this.#ordered = placed.map(({ key }) => key));
  }
}

/** FNV-1, 32 bits, of the key's bytes. */
function hash(key: string): number {
  let value = 2_166_136_261;
  for (const byte of encodeText(key)) value = Math.imul(value, 16_777_619) ^ byte;
  return value >>> 0;
}
