/** Writes of the map in the form in which the thread of the index sends them. Pure. */
import { toByteText } from "../../memory/byte-text.ts";
import { CellWriter, unwrapped } from "../cells/pack.ts";
import type { PackedWrites } from "./messages.ts";

export class WritePacker {
  readonly #keys: string[] = [];
  readonly #sizes: number[] = [];
  readonly #writer = new CellWriter();
  /** Bytes of another writer that are yet to be copied. Those of neighbouring writes are copied at once. */
  #part: { readonly of: CellWriter; readonly from: number; to: number } | undefined;

  add(key: string, value: Uint8Array | undefined): void {
    this.#copyPart();
    const from = this.#writer.length;
    if (value !== undefined) {
      this.#writer.bytes(value);
      this.#writer.wrap(from);
    }
    this.#keys.push(key);
    this.#sizes.push(value === undefined ? -1 : this.#writer.length - from);
  }

  /** The value is a part of what another writer has, wrapped already; it must not be cut before `packed`. */
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

/** The values are CBOR as byte text, for the map. A text for all of them at once costs least. */
export function* unpackWrites({
  keys,
  sizes,
  bytes,
}: PackedWrites): Generator<readonly [key: string, encoded: string | undefined], void, undefined> {
  const text = toByteText(bytes);
  let at = 0;
  for (let i = 0; i < keys.length; i++) {
    const size = sizes[i] ?? -1;
    yield [keys[i] ?? "", size < 0 ? undefined : text.slice(at, at + size)];
    at += Math.max(size, 0);
  }
}

/** Those with values of more bytes than this, which are views. */
export function* largeWrites(
  { keys, sizes, bytes }: PackedWrites,
  moreThan: number,
): Generator<readonly [key: string, value: Uint8Array], void, undefined> {
  let at = 0;
  for (const [i, size] of sizes.entries()) {
    const value = size > moreThan ? unwrapped(bytes.subarray(at, at + size)) : undefined;
    if (value !== undefined && value.length > moreThan) yield [keys[i] ?? "", value];
    at += Math.max(size, 0);
  }
}
