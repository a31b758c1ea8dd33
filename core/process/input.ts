/**
 * A program's input on its way to the thread. It is read ahead while the program works, so that each message carries
 * much. Bytes that the program does not use go back to the stream, for its next reader.
 */
import { concat, copyOf } from "../base/bytes.ts";
import { STREAM_AHEAD_BYTES } from "./limits.ts";
import type { ProgramStream } from "./types.ts";

export class Input {
  readonly #stream: ProgramStream;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #isOver = false;
  #isReleased = false;
  #error: unknown;
  #isReading = false;
  #turn: Promise<unknown> = Promise.resolve();
  #wake: (() => void) | undefined;

  constructor(stream: ProgramStream) {
    this.#stream = stream;
  }

  /**
   * The pieces that are there, as soon as there are some; undefined at the end, and after `release`. Calls are answered
   * in their order. When the pieces have been posted, call `posted`.
   */
  take(): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
    const taken = this.#turn.then(() => this.#next());
    this.#turn = taken.catch(() => {});
    return taken;
  }

  /** The stream may use the memory of pieces again that have been copied into a message. */
  posted(pieces: readonly Uint8Array[]): void {
    this.#stream.reuse?.(pieces);
  }

  async #next(): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
    if (this.#queuedBytes === 0) this.#readAhead();
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
    // A terminal is read only when the program asks, because the next input may be for another program.
    if (this.#stream.type !== "terminal") this.#readAhead();
    // A message copies all of the memory that a piece is a part of.
    return pieces.map((piece) => (isWhole(piece) ? piece : copyOf(piece)));
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

  #readAhead(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      await this.#fill();
    } catch (error) {
      this.#error = error;
    } finally {
      this.#isReading = false;
      this.#wake?.();
    }
  }

  async #fill(): Promise<void> {
    const { type } = this.#stream;
    while (this.#queuedBytes < STREAM_AHEAD_BYTES && !this.#isOver && !this.#isReleased) {
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
