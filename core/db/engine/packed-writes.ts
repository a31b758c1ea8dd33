/** Writes of the map as they travel from the thread of the index. Pure. */
import type { PackedWrites } from "./messages.ts";

export class WritePacker {
  readonly #keys: string[] = [];
  readonly #values: (Uint8Array | undefined)[] = [];
  #length = 0;

  add(key: string, value: Uint8Array | undefined): void {
    this.#keys.push(key);
    this.#values.push(value);
    this.#length += value?.length ?? 0;
  }

  packed(): PackedWrites {
    const sizes = Int32Array.from(this.#values, (value) => value?.length ?? -1);
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const value of this.#values) {
      if (value === undefined) continue;
      bytes.set(value, at);
      at += value.length;
    }
    return { keys: this.#keys, sizes, bytes };
  }
}

/** The values are views of its bytes. */
export function* unpackWrites({
  keys,
  sizes,
  bytes,
}: PackedWrites): Generator<readonly [key: string, value: Uint8Array | undefined], void, undefined> {
  let at = 0;
  for (const [i, key] of keys.entries()) {
    const size = sizes[i] ?? -1;
    yield [key, size < 0 ? undefined : bytes.subarray(at, at + size)];
    at += Math.max(size, 0);
  }
}
