/**
 * The entries of a map in the order of their keys, each with a 64-bit digest, and for any range of keys their number
 * and the sum of their digests, which range-based set reconciliation compares (Meyer, arXiv 2212.13567, with sums in
 * place of its monoid trees).
 *
 * They are a list of leaves of up to LEAF_MAX keys (leaf.ts). A key is found by bisection, first among the leaves and
 * then in one. An insertion moves at most one leaf's keys and the list of leaves. A sum adds up whole leaves, and
 * searches the two leaves at its ends. With a million keys that is some 6,000 leaves: tens of microseconds.
 */
import type { Bytes } from "../base/bytes.ts";
import { fromByteText, toByteText } from "./byte-text.ts";
import type { Entry, EntryHead } from "./entry.ts";
import { type Indexed, Leaf, type Sum } from "./leaf.ts";
import { isLarge } from "./record.ts";

/** Moving 256 pointers costs about as much as searching for their place. */
const LEAF_MAX = 256;
/** Neighbours that together have no more than this become one. */
const LEAF_MERGE = 128;
/** Keys that a listing looks at first. */
const FIRST_KEYS = 4;

export class OrderedEntries {
  /** Never empty; only the first leaf may have no keys, and only when it is alone. */
  readonly #leaves: Leaf[] = [new Leaf()];
  /** The first key of each leaf. */
  readonly #firsts: string[] = [""];
  /** Values that are too long to be moved about with others in their leaf. */
  readonly #large = new Map<string, Bytes>();
  #size = 0;
  /**
   * The key that was last sought, the place where it is or belongs, and whether it is there. Undefined if that is no
   * longer known.
   */
  #sought: string | undefined;
  #leafAt = 0;
  #at = 0;
  #isFound = false;

  get size(): number {
    return this.#size;
  }

  has(key: string): boolean {
    return this.#seek(key);
  }

  /** All of an entry except its value. */
  head(key: string): EntryHead | undefined {
    return this.#seek(key) ? this.#leaf(this.#leafAt).head(this.#at) : undefined;
  }

  get(key: string): Entry | undefined {
    const head = this.head(key);
    if (head === undefined) return undefined;
    const { stamp, writer, state, expiresAtMs } = head;
    return { stamp, writer, state, value: toByteText(this.#value(key)), expiresAtMs };
  }

  /** The bytes of an entry's value, for the caller alone. */
  value(key: string): Uint8Array<ArrayBuffer> | undefined {
    return this.view(key)?.slice();
  }

  /** The bytes of an entry's value until something changes. */
  view(key: string): Bytes | undefined {
    return this.#seek(key) ? this.#value(key) : undefined;
  }

  set(key: string, entry: Entry, a: number, b: number): void {
    if (isLarge(entry.value.length)) this.#large.set(key, fromByteText(entry.value));
    else if (this.#large.size > 0) this.#large.delete(key);
    if (this.#seek(key)) this.#leaf(this.#leafAt).replace(this.#at, entry, a, b);
    else this.#insert(key, entry, a, b);
  }

  /** Whether it was there. */
  delete(key: string): boolean {
    if (!this.#seek(key)) return false;
    const i = this.#leafAt;
    const leaf = this.#leaf(i);
    leaf.remove(this.#at);
    this.#large.delete(key);
    this.#size--;
    this.#sought = undefined;
    this.#firsts[i] = leaf.keys[0] ?? "";
    this.#mergeAt(i);
    return true;
  }

  /** Number and sum of the keys from `from` on and below `to`; undefined is without bound. */
  sum(from: string | undefined, to: string | undefined): Sum {
    const sum: Sum = { count: 0, a: 0, b: 0 };
    this.#visit(from, to, (leaf, low, high) => leaf.addTo(sum, low, high));
    return sum;
  }

  /** The keys from `from` on and below `to`, with their digests, in order. */
  range(from: string | undefined, to: string | undefined): Indexed[] {
    const found: Indexed[] = [];
    this.#visit(from, to, (leaf, low, high) => {
      for (let i = low; i < high; i++) found.push(leaf.indexed(i));
    });
    return found;
  }

  /** Keys that cut the range into `parts` of nearly equal number; the range has at least as many keys. */
  cuts(from: string | undefined, to: string | undefined, count: number, parts: number): [before: string, at: string][] {
    const cuts: [string, string][] = [];
    let seen = 0;
    let before = "";
    this.#visit(from, to, ({ keys }, low, high) => {
      for (; cuts.length + 1 < parts;) {
        const rank = Math.floor(((cuts.length + 1) * count) / parts);
        const at = low + rank - seen;
        if (at >= high) break;
        cuts.push([at > low ? (keys[at - 1] ?? "") : before, keys[at] ?? ""]);
      }
      seen += high - low;
      before = keys[high - 1] ?? before;
    });
    return cuts;
  }

  /** The keys from `from` on, in order; keys that come or go meanwhile may be seen or not, all others are seen once. */
  *keys(from: string): Generator<string, void, undefined> {
    let next: string = from;
    let inclusive = true;
    // Most ranges have few keys: those of one row, or none.
    for (let most = FIRST_KEYS; ; most *= 8) {
      const batch = this.#following(next, inclusive, most);
      if (batch.length === 0) return;
      yield* batch;
      next = batch.at(-1) ?? next;
      inclusive = false;
    }
  }

  /** The keys below `to`, the greatest first; otherwise like `keys`. Undefined means without bound. */
  *keysDown(to: string | undefined): Generator<string, void, undefined> {
    let next = to;
    for (;;) {
      const batch = this.#preceding(next);
      if (batch.length === 0) return;
      yield* batch;
      next = batch.at(-1);
    }
  }

  /** At most that many keys: of the leaf in which `key` is, or of the next leaf. */
  #following(key: string, inclusive: boolean, most: number): string[] {
    for (let i = this.#leafNear(key); i < this.#leaves.length; i++) {
      const { keys } = this.#leaf(i);
      let at = this.#leaf(i).search(key);
      if (!inclusive && keys[at] === key) at++;
      if (at < keys.length) return keys.slice(at, at + most);
    }
    return [];
  }

  /** The keys below `key` in its leaf, or those of the leaf before, the greatest first. */
  #preceding(key: string | undefined): string[] {
    for (let i = key === undefined ? this.#leaves.length - 1 : this.#leafOf(key); i >= 0; i--) {
      const leaf = this.#leaf(i);
      const at = key === undefined ? leaf.keys.length : leaf.search(key);
      if (at > 0) return leaf.keys.slice(0, at).reverse();
    }
    return [];
  }

  #visit(from: string | undefined, to: string | undefined, see: (leaf: Leaf, low: number, high: number) => void): void {
    if (from !== undefined && to !== undefined && from >= to) return;
    const first = from === undefined ? 0 : this.#leafOf(from);
    const last = to === undefined ? this.#leaves.length - 1 : this.#leafOf(to);
    for (let i = first; i <= last; i++) {
      const leaf = this.#leaf(i);
      const low = i === first && from !== undefined ? leaf.search(from) : 0;
      const high = i === last && to !== undefined ? leaf.search(to) : leaf.keys.length;
      if (low < high) see(leaf, low, high);
    }
  }

  /** The value of the entry that was found last. */
  #value(key: string): Bytes {
    return (this.#large.size > 0 ? this.#large.get(key) : undefined) ?? this.#leaf(this.#leafAt).value(this.#at);
  }

  #insert(key: string, entry: Entry, a: number, b: number): void {
    const i = this.#leafAt;
    const at = this.#at;
    const leaf = this.#leaf(i);
    this.#sought = undefined;
    this.#size++;
    if (leaf.keys.length < LEAF_MAX) return this.#insertInto(i, at, key, entry, a, b);
    // Keys that come in order fill leaves completely, even if other keys follow.
    const isEnd = at === LEAF_MAX;
    if (isEnd && (this.#leaves[i + 1]?.keys.length ?? LEAF_MAX) < LEAF_MAX) {
      return this.#insertInto(i + 1, 0, key, entry, a, b);
    }
    const right = isEnd ? new Leaf() : leaf.split(LEAF_MAX / 2);
    this.#leaves.splice(i + 1, 0, right);
    this.#firsts.splice(i + 1, 0, right.keys[0] ?? key);
    if (isEnd) right.insert(0, key, entry, a, b);
    else if (at <= LEAF_MAX / 2) this.#insertInto(i, at, key, entry, a, b);
    else this.#insertInto(i + 1, at - LEAF_MAX / 2, key, entry, a, b);
  }

  #insertInto(i: number, at: number, key: string, entry: Entry, a: number, b: number): void {
    this.#leaf(i).insert(at, key, entry, a, b);
    if (at === 0) this.#firsts[i] = key;
  }

  /** Finds the key, or the place where it belongs. */
  #seek(key: string): boolean {
    if (key === this.#sought) return this.#isFound;
    const i = this.#leafNear(key);
    const leaf = this.#leaf(i);
    this.#leafAt = i;
    this.#at = leaf.search(key);
    this.#isFound = leaf.keys[this.#at] === key;
    this.#sought = key;
    return this.#isFound;
  }

  /** As `#leafOf`; it looks first at the leaf that was sought last, because neighbours come one after the other. */
  #leafNear(key: string): number {
    const firsts = this.#firsts;
    const i = this.#leafAt;
    const isSameLeaf =
      i < firsts.length &&
      (i === 0 || (firsts[i] as string) <= key) &&
      (i + 1 === firsts.length || key < (firsts[i + 1] as string));
    return isSameLeaf ? i : this.#leafOf(key);
  }

  /** The last leaf whose first key is not above `key`, or the first leaf. */
  #leafOf(key: string): number {
    const firsts = this.#firsts;
    let low = 1;
    let high = firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((firsts[middle] as string) <= key) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #mergeAt(i: number): void {
    const leaves = this.#leaves;
    const { length } = this.#leaf(i).keys;
    if (length > LEAF_MERGE / 2 || leaves.length === 1) return;
    const left = i > 0 && this.#leaf(i - 1).keys.length + length <= LEAF_MERGE ? i - 1 : i;
    if (left === i && (leaves[i + 1]?.keys.length ?? LEAF_MAX) + length > LEAF_MERGE) {
      if (length === 0) this.#cutOut(i);
      return;
    }
    this.#leaf(left).append(this.#leaf(left + 1));
    this.#firsts[left] = this.#leaf(left).keys[0] ?? "";
    this.#cutOut(left + 1);
  }

  #cutOut(i: number): void {
    this.#leaves.splice(i, 1);
    this.#firsts.splice(i, 1);
  }

  #leaf(i: number): Leaf {
    return this.#leaves[i] as Leaf;
  }
}
