/** The linear memory of a program. Access outside of it is EFAULT; it may grow between any two calls. */
import { TRANSFER_BYTES_MAX } from "../limits.ts";
import { WasiError } from "./errno.ts";

export interface Slice {
  readonly at: number;
  readonly length: number;
}

export class GuestMemory {
  #memory: WebAssembly.Memory | undefined;
  #view = new DataView(new ArrayBuffer(0));

  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  get sizeBytes(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  bytes(at: number, length: number): Uint8Array<ArrayBuffer> {
    const view = this.#at(at, length);
    return new Uint8Array(view.buffer as ArrayBuffer, at >>> 0, length >>> 0);
  }

  u8(at: number, value: number): void {
    this.#at(at, 1).setUint8(at >>> 0, value);
  }

  u16(at: number, value: number): void {
    this.#at(at, 2).setUint16(at >>> 0, value, true);
  }

  u32(at: number, value: number): void {
    this.#at(at, 4).setUint32(at >>> 0, value, true);
  }

  u64(at: number, value: bigint): void {
    this.#at(at, 8).setBigUint64(at >>> 0, value, true);
  }

  readU8(at: number): number {
    return this.#at(at, 1).getUint8(at >>> 0);
  }

  readU16(at: number): number {
    return this.#at(at, 2).getUint16(at >>> 0, true);
  }

  readU32(at: number): number {
    return this.#at(at, 4).getUint32(at >>> 0, true);
  }

  readU64(at: number): bigint {
    return this.#at(at, 8).getBigUint64(at >>> 0, true);
  }

  /** The buffers of a scattered read or write, as many of them as one call may transfer. */
  vectors(at: number, count: number): Slice[] {
    const slices: Slice[] = [];
    let left = TRANSFER_BYTES_MAX;
    for (let i = 0; i < count >>> 0 && left > 0; i++) {
      const start = this.readU32((at >>> 0) + i * 8);
      const length = this.readU32((at >>> 0) + i * 8 + 4);
      this.#at(start, length);
      const taken = Math.min(length, left);
      if (taken > 0) slices.push({ at: start, length: taken });
      left -= taken;
    }
    return slices;
  }

  gather(slices: readonly Slice[]): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(lengthOf(slices));
    let at = 0;
    for (const slice of slices) {
      bytes.set(this.bytes(slice.at, slice.length), at);
      at += slice.length;
    }
    return bytes;
  }

  scatter(slices: readonly Slice[], bytes: Uint8Array): void {
    let at = 0;
    for (const slice of slices) {
      if (at >= bytes.length) return;
      const part = bytes.subarray(at, at + slice.length);
      this.bytes(slice.at, part.length).set(part);
      at += part.length;
    }
  }

  #at(at: number, length: number): DataView {
    const buffer = this.#memory?.buffer;
    if (buffer === undefined) throw new WasiError("fault");
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer);
    if ((at >>> 0) + (length >>> 0) > buffer.byteLength) throw new WasiError("fault");
    return this.#view;
  }
}

export function lengthOf(slices: readonly Slice[]): number {
  return slices.reduce((sum, { length }) => sum + length, 0);
}
