/** Randomness: cryptographically strong in tabs and Node.js, seeded in the simulator. */

export interface Random {
  bytes(length: number): Uint8Array<ArrayBuffer>;
  /** A real number, uniform in [0, 1). */
  real(): number;
}

/** A whole number, uniform in [0, bound). */
export function integer(random: Random, bound: number): number {
  return Math.floor(random.real() * bound);
}

/** A random element; undefined if the list is empty. */
export function pick<T>(random: Random, items: readonly T[]): T | undefined {
  return items[integer(random, items.length)];
}

/** A new list in random order (Fisher-Yates), or its first `count` elements. */
export function sample<T>(random: Random, items: readonly T[], count: number = items.length): T[] {
  const pool = [...items];
  const size = Math.min(count, pool.length);
  for (let i = 0; i < size; i++) {
    const j = i + integer(random, pool.length - i);
    const chosen = pool[j] as T;
    pool[j] = pool[i] as T;
    pool[i] = chosen;
  }
  return pool.slice(0, size);
}
