/**
 * A program's input on its way to the thread. It is read ahead while the program works, so that each message carries
 * much. Bytes that the program does not use go back to the stream, for its next reader.
 */
import { concat, copyOf } from "../base/bytes.ts";
import { PIECE_BYTES } from "./limits.ts";
import type { ProgramStream } from "./types.ts";

export class Input {
  readonly #stream: ProgramStream;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isOver = false;
  #isReleased = false;
  #error: unknown;
  #isReading = false;
  #wake: (() => void) | undefined;

  constructor(stream: ProgramStream) {
    this.#stream = stream;
  }

  /** The pieces that are there, as soon as there are some; undefined at the end, and after `release`. */
  async take(): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
    this.#readAhead();
    while (this.#queuedBytes === 0 && !this.#isOver && !this.#isReleased && this.#error === undefined)
      await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#queuedBytes === 0) {
      if (this.#error !== undefined) throw this.#error;
      this.#isOver = false;
      return undefined;
    }
    const pieces = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#readAhead();
    return pieces.map((piece) => (this.#stream.givesAway === true && isWhole(piece) ? piece : copyOf(piece)));
  }

  /** Stops reading, and answers a waiting call. Bytes that were read too far go back. */
  release(rest: Uint8Array = new Uint8Array(0)): void {
    const bytes = concat([rest, ...this.#queue]);
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#isReleased = true;
    if (bytes.length > 0) this.#stream.unread?.(bytes);
    this.#wake?.();
  }

  /** A terminal is read only when the program asks, because the next input may be for another program. */
  #readAhead(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#read()
      .catch((error: unknown) => {
        this.#error = error;
      })
      .finally(() => {
        this.#isReading = false;
        this.#wake?.();
      });
  }

  async #read(): Promise<void> {
    const { type } = this.#stream;
    while (this.#queuedBytes < PIECE_BYTES && !this.#isOver && !this.#isReleased) {
      if (type === "terminal" && this.#queuedBytes > 0) return;
      await this.#stream.ready?.();
      if (this.#isReleased) return;
      const piece = await this.#stream.read?.();
      if (piece === undefined) this.#isOver = true;
      else if (this.#isReleased) return this.#stream.unread?.(piece);
      else if (piece.length > 0) {
        this.#queue.push(piece);
        this.#queuedBytes += piece.length;
      }
      this.#wake?.();
    }
  }
}

function isWhole(piece: Uint8Array): piece is Uint8Array<ArrayBuffer> {
  return piece.buffer instanceof ArrayBuffer && piece.length === piece.buffer.byteLength;
}
