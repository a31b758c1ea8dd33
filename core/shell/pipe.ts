/**
 * A pipe between two stages: bytes in order, bounded, with backpressure. The writer waits while the reader is behind,
 * and gets "closed" once the reader has gone. The reader sees the end when the writer ends.
 */
import { concat, type Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import type { Output } from "./types.ts";

/** Bytes that may wait in a pipe, as in Linux: enough to keep both sides busy, and too few to matter. */
const PIPE_BYTES_MAX: number = 64 * 1024;

interface PipeEnd extends Output {
  /** The reader gets the bytes that are there, then the end. Later writes are refused. */
  end(): void;
}

export interface Pipe {
  readonly output: PipeEnd;
  /** One reader at a time. When it leaves the loop, the next one goes on where it stopped. */
  readonly input: AsyncIterable<Uint8Array>;
  /** The reader leaves for good: writers get "closed", also those that wait. */
  close(): void;
}

export function createPipe(bytesMax: number = PIPE_BYTES_MAX): Pipe {
  const queue: Uint8Array[] = [];
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
      const piece = bytes.slice(offset, offset + bytesMax - queuedBytes);
      queue.push(piece);
      queuedBytes += piece.length;
      offset += piece.length;
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
    close(): void {
      closed = true;
      queue.length = 0;
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
