/**
 * The memory of an engine as it was when its script had been loaded. It is restored for each input. So no input sees
 * what another has left behind, and none has to pay for an engine of its own.
 */
const PAGE_BYTES = 65_536;

/** Memory that is taken and never used: neither kept nor restored. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export class Snapshot {
  readonly #sizeBytes: number;
  /** The memory before and behind the gap, without the zeros at the end of each. */
  readonly #parts: readonly { readonly at: number; readonly bytes: Uint8Array; readonly to: number }[];

  constructor(memory: WebAssembly.Memory, gap?: Gap) {
    const sizeBytes = memory.buffer.byteLength;
    this.#sizeBytes = sizeBytes;
    this.#parts = [
      { at: 0, to: gap?.from ?? sizeBytes },
      { at: gap?.to ?? sizeBytes, to: sizeBytes },
    ].map(({ at, to }) => {
      const bytes = new Uint8Array(memory.buffer, at, to - at);
      let end = bytes.length;
      while (end > 0 && bytes[end - 1] === 0) end--;
      return { at, bytes: bytes.slice(0, end), to };
    });
  }

  /** Restores the memory. Returns false if it has grown since: it never shrinks. */
  restore(memory: WebAssembly.Memory): boolean {
    if (memory.buffer.byteLength !== this.#sizeBytes) return false;
    const all = new Uint8Array(memory.buffer);
    for (const { at, bytes, to } of this.#parts) {
      all.set(bytes, at);
      all.fill(0, at + bytes.length, to);
    }
    return true;
  }

  /** The same in the memory of a new instance. */
  restoreInto(memory: WebAssembly.Memory): void {
    const pages = (this.#sizeBytes - memory.buffer.byteLength) / PAGE_BYTES;
    if (pages > 0) memory.grow(pages);
    this.restore(memory);
  }
}
