/** Writes of the map in the form in which the thread of the index sends them. Pure. */
import { CellWriter } from "../cells/pack.ts";
import type { PackedWrites } from "./messages.ts";

export class WritePacker {
  readonly #keys: string[] = [];
  readonly #sizes: number[] = [];
  readonly #writer = new CellWriter();

  add(key: string, value: Uint8Array | undefined): void {
    this.#keys.push(key);
    this.#sizes.push(value?.length ?? -1);
    if (value !== undefined) this.#writer.bytes(value);
  }

  packed(): PackedWrites {
    return { keys: this.#keys, sizes: new Int32Array(this.#sizes), bytes: this.#writer.slice() };
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
