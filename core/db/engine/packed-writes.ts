/** Writes of the map in the form in which the thread of the index sends them. Pure. */
import { CellWriter } from "../cells/pack.ts";
import type { PackedWrites } from "./messages.ts";

export class WritePacker {
  readonly #keys: string[] = [];
  readonly #sizes: number[] = [];
  readonly #writer = new CellWriter();
  /** Bytes of another writer that are yet to be copied. Those of neighbouring writes are copied at once. */
  #part: { readonly of: CellWriter; readonly from: number; to: number } | undefined;

  add(key: string, value: Uint8Array | undefined): void {
    this.#copyPart();
    this.#keys.push(key);
    this.#sizes.push(value?.length ?? -1);
    if (value !== undefined) this.#writer.bytes(value);
  }

  /** The value is a part of what another writer has, which must not be cut before `packed`. */
  addPart(key: string, of: CellWriter, from: number, to: number): void {
    this.#keys.push(key);
    this.#sizes.push(to - from);
    if (this.#part?.of === of && this.#part.to === from) this.#part.to = to;
    else {
      this.#copyPart();
      this.#part = { of, from, to };
    }
  }

  packed(): PackedWrites {
    this.#copyPart();
    return { keys: this.#keys, sizes: new Int32Array(this.#sizes), bytes: this.#writer.slice() };
  }

  #copyPart(): void {
    if (this.#part !== undefined) this.#writer.bytes(this.#part.of.view(this.#part.from, this.#part.to));
    this.#part = undefined;
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
