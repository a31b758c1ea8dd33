/**
 * Reading of a stream by exact lengths, in the shape that @ipld/car asks for. Its own readers would collect as many
 * bytes as a section claims to have; this one collects at most one block.
 */
import { concat } from "../../base/bytes.ts";
import { StarfishError } from "../../base/errors.ts";
import { BLOCK_BYTES_MAX } from "./limits.ts";

export class BoundedReader {
  /** Bytes read or passed over so far. */
  pos = 0;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffer: Uint8Array = new Uint8Array(0);
  /** Bytes still to be passed over before the buffer counts. */
  #skip = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, or as many as there are, without passing over them. */
  async upTo(length: number): Promise<Uint8Array> {
    await this.#fill(length);
    return this.#buffer.subarray(0, length);
  }

  /**
   * The next `length` bytes. Rejects with "malformed" if there are fewer, with "too-large" if a block may not have as
   * many.
   */
  async exactly(length: number, seek = false): Promise<Uint8Array> {
    if (length > BLOCK_BYTES_MAX) {
      throw new StarfishError("too-large", `A block of ${length} bytes; ${BLOCK_BYTES_MAX} are allowed`);
    }
    if (!(length >= 0)) throw new StarfishError("malformed", "A block of negative length");
    await this.#fill(length);
    if (this.#buffer.length < length) throw new StarfishError("malformed", "The data ends within a block");
    const bytes = this.#buffer.subarray(0, length);
    if (seek) this.seek(length);
    return bytes;
  }

  /** Passes over `length` bytes. Throws "malformed" when told to go back. */
  seek(length: number): void {
    if (!(length >= 0)) throw new StarfishError("malformed", "A section that begins before it could");
    this.pos += length;
    const within = Math.min(length, this.#buffer.length);
    this.#buffer = this.#buffer.subarray(within);
    this.#skip += length - within;
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(length: number): Promise<void> {
    if (this.#buffer.length >= length && this.#skip === 0) return;
    const parts = [this.#buffer];
    for (let have = this.#buffer.length; have < length || this.#skip > 0;) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      const chunk = next.value.subarray(this.#skip);
      this.#skip -= next.value.length - chunk.length;
      if (chunk.length === 0) continue;
      parts.push(chunk);
      have += chunk.length;
    }
    this.#buffer = parts.length === 2 && parts[0]?.length === 0 ? (parts[1] ?? this.#buffer) : concat(parts);
  }
}
