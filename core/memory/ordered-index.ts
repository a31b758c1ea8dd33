/**
 * The keys of a map in order, each with a 64-bit digest, and for any range of keys their number and the sum of their
 * digests: what range-based set reconciliation compares (Meyer, arXiv 2212.13567, with sums in place of its monoid trees).
 *
 * A list of leaves of up to LEAF_MAX keys. An insertion moves at most one leaf's keys and the list of leaves; a sum adds up
 * whole leaves and searches the two at its ends. With a million keys that is some 6,000 leaves: tens of microseconds.
 */

/** Moving 256 pointers costs about as much as searching for their place. */
const LEAF_MAX = 256;
/** Neighbours that together have no more than this become one. */
const LEAF_MERGE = 128;

export interface Sum {
  count: number;
  /** Sums of the digests' halves modulo 2^32, as signed integers. */
  a: number;
  b: number;
}

class Leaf {
  readonly keys: string[];
  /** The digests' halves, two numbers a key. */
  readonly digests: Int32Array = new Int32Array(2 * LEAF_MAX);
  a = 0;
  b = 0;

  constructor(keys: string[]) {
    this.keys = keys;
  }

  insert(at: number, key: string, a: number, b: number): void {
    const { keys, digests } = this;
    digests.copyWithin(2 * at + 2, 2 * at, 2 * keys.length);
    if (at === keys.length) keys.push(key);
    else keys.splice(at, 0, key);
    this.#write(at, a, b);
  }

  replace(at: number, a: number, b: number): void {
    this.#forget(at);
    this.#write(at, a, b);
  }

  remove(at: number): void {
    this.#forget(at);
    this.digests.copyWithin(2 * at, 2 * at + 2, 2 * this.keys.length);
    this.keys.splice(at, 1);
  }

  /** Cuts off the keys from `at` on. */
  split(at: number): Leaf {
    const right = new Leaf(this.keys.splice(at));
    right.digests.set(this.digests.subarray(2 * at, 2 * (at + right.keys.length)));
    right.#addUp();
    this.#addUp();
    return right;
  }

  /** Takes in the keys of the leaf that follows. */
  append(next: Leaf): void {
    this.digests.set(next.digests.subarray(0, 2 * next.keys.length), 2 * this.keys.length);
    for (const key of next.keys) this.keys.push(key);
    this.#addUp();
  }

  /** The place of the first key that is not below `key`. */
  search(key: string): number {
    const { keys } = this;
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  addTo(sum: Sum, from: number, to: number): void {
    sum.count += to - from;
    if (from === 0 && to === this.keys.length) {
      sum.a = (sum.a + this.a) | 0;
      sum.b = (sum.b + this.b) | 0;
      return;
    }
    for (let i = 2 * from; i < 2 * to; i += 2) {
      sum.a = (sum.a + (this.digests[i] ?? 0)) | 0;
      sum.b = (sum.b + (this.digests[i + 1] ?? 0)) | 0;
    }
  }

  #addUp(): void {
    const sum: Sum = { count: 0, a: 0, b: 0 };
    this.a = 0;
    this.b = 0;
    for (let i = 0; i < 2 * this.keys.length; i += 2) {
      sum.a = (sum.a + (this.digests[i] ?? 0)) | 0;
      sum.b = (sum.b + (this.digests[i + 1] ?? 0)) | 0;
    }
    this.a = sum.a;
    this.b = sum.b;
  }

  #write(at: number, a: number, b: number): void {
    this.digests[2 * at] = a;
    this.digests[2 * at + 1] = b;
    this.a = (this.a + a) | 0;
    this.b = (this.b + b) | 0;
  }

  #forget(at: number): void {
    this.a = (this.a - (this.digests[2 * at] ?? 0)) | 0;
    this.b = (this.b - (this.digests[2 * at + 1] ?? 0)) | 0;
  }
}

/** A key of the index with its digest. */
export interface Indexed {
  readonly key: string;
  readonly a: number;
  readonly b: number;
}

export class OrderedIndex {
  /** Never empty; only the first leaf may have no keys, and only when it is alone. */
  readonly #leaves: Leaf[] = [new Leaf([])];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  set(key: string, a: number, b: number): void {
    const i = this.#leafOf(key);
    const leaf = this.#leaf(i);
    const at = leaf.search(key);
    if (leaf.keys[at] === key) return leaf.replace(at, a, b);
    this.#size++;
    if (leaf.keys.length < LEAF_MAX) return leaf.insert(at, key, a, b);
    // Keys that come in order fill leaves to the brim.
    const isLast = i === this.#leaves.length - 1 && at === LEAF_MAX;
    const right = leaf.split(isLast ? LEAF_MAX : LEAF_MAX / 2);
    this.#leaves.splice(i + 1, 0, right);
    if (isLast) right.insert(0, key, a, b);
    else if (at <= LEAF_MAX / 2) leaf.insert(at, key, a, b);
    else right.insert(at - LEAF_MAX / 2, key, a, b);
  }

  /** Whether it was there. */
  delete(key: string): boolean {
    const i = this.#leafOf(key);
    const leaf = this.#leaf(i);
    const at = leaf.search(key);
    if (leaf.keys[at] !== key) return false;
    leaf.remove(at);
    this.#size--;
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
    this.#visit(from, to, ({ keys, digests }, low, high) => {
      for (let i = low; i < high; i++) {
        found.push({ key: keys[i] ?? "", a: digests[2 * i] ?? 0, b: digests[2 * i + 1] ?? 0 });
      }
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
    for (;;) {
      const batch = this.#following(next, inclusive);
      if (batch.length === 0) return;
      yield* batch;
      next = batch.at(-1) ?? next;
      inclusive = false;
    }
  }

  /** The rest of the leaf in which `key` is, or the next leaf's keys. */
  #following(key: string, inclusive: boolean): string[] {
    for (let i = this.#leafOf(key); i < this.#leaves.length; i++) {
      const { keys } = this.#leaf(i);
      let at = this.#leaf(i).search(key);
      if (!inclusive && keys[at] === key) at++;
      if (at < keys.length) return keys.slice(at);
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

  /** The last leaf whose first key is not above `key`, or the first leaf. */
  #leafOf(key: string): number {
    const leaves = this.#leaves;
    let low = 1;
    let high = leaves.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (((leaves[middle] as Leaf).keys[0] as string) <= key) low = middle + 1;
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
      if (length === 0) leaves.splice(i, 1);
      return;
    }
    this.#leaf(left).append(this.#leaf(left + 1));
    leaves.splice(left + 1, 1);
  }

  #leaf(i: number): Leaf {
    return this.#leaves[i] as Leaf;
  }
}
