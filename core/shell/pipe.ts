/**
 * A pipe between two stages: bytes in order, bounded, with backpressure. The writer waits while the reader is behind,
 * and gets "closed" once the reader has gone. The reader sees the end when the writer ends. The reader owns what it
 * gets.
 */
import { concat, copyOf, type Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import type { Output } from "./types.ts";

/** Bytes that may wait in a pipe, as in Linux: enough to keep both sides busy, and too few to matter. */
const PIPE_BYTES_MAX: number = 64 * 1024;
/** Pieces that a reader has given back, kept for the next writes: as many as a program's input has on its way. */
const SPARE_PIECES_MAX = 16;

interface PipeEnd extends Output {
  /** The reader gets the bytes that are there, then the end. Later writes are refused. */
  end(): void;
}

export interface Pipe {
  readonly output: PipeEnd;
  /** One reader at a time. When it leaves the loop, the next one goes on where it stopped. */
  readonly input: AsyncIterable<Uint8Array>;
  /**
   * Takes pieces back that the reader has used up, and writes the next bytes into them. Otherwise a fast stream makes
   * so much garbage that the engine spends more time on it than on the bytes.
   */
  reuse(pieces: readonly Uint8Array[]): void;
  /** The reader leaves for good: writers get "closed", also those that wait. */
  close(): void;
}

export function createPipe(bytesMax: number = PIPE_BYTES_MAX): Pipe {
  const queue: Uint8Array[] = [];
  const spare: Uint8Array[] = [];
  let queuedBytes = 0;
  let ended = false;
  let closed = false;
  /** Callbacks that wait for any change. Readers and writers never wait for the same change. */
  let waiting: (() => void)[] = [];

  const isOver = (): boolean => closed || ended;
  const isFull = (): boolean => queuedBytes >= bytesMax && !isOver();
  const isEmpty = (): boolean => queue.length === 0 && !isOver();
  const wake = (): void => {
    const woken = waiting;
    waiting = [];
    for (const resume of woken) resume();
  };
  const change = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));

  const write = async (bytes: Bytes): Promise<void> => {
    for (let offset = 0; offset < bytes.length;) {
      while (isFull()) await change();
      if (isOver()) break;
      const part = bytes.subarray(offset, offset + bytesMax - queuedBytes);
      offset += part.length;
      const used = part.length === bytesMax ? spare.pop() : undefined;
      used?.set(part);
      queue.push(used ?? copyOf(part));
      queuedBytes += part.length;
      wake();
    }
    if (isOver()) throw new StarfishError("closed", "Nobody reads this output any more");
  };

  const read = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    while (isEmpty()) await change();
    const piece = queue.shift();
    if (piece === undefined) return { done: true, value: undefined };
    queuedBytes -= piece.length;
    wake();
    return { done: false, value: piece };
  };

  return {
    output: {
      write,
      end(): void {
        ended = true;
        wake();
      },
    },
    input: { [Symbol.asyncIterator]: () => ({ next: read }) },
    reuse(pieces): void {
      for (const piece of pieces) {
        if (piece.length === bytesMax && spare.length < SPARE_PIECES_MAX && !isOver()) spare.push(piece);
      }
    },
    close(): void {
      closed = true;
      queue.length = 0;
      spare.length = 0;
      queuedBytes = 0;
      wake();
    },
  };
}

/** All bytes of a stream. Rejects with "too-large" if there are more than `bytesMax`. */
export async function readAll(stream: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    length += part.length;
    if (length > bytesMax) throw new StarfishError("too-large", `The input is larger than ${bytesMax} bytes`);
    parts.push(part);
  }
  return concat(parts);
}
