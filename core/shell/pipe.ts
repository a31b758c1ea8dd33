/**
 * A pipe between two stages: bytes in order, bounded, with backpressure. The writer waits while the reader is behind and
 * gets "closed" once the reader has gone; the reader sees the end when the writer ends.
 */
import { concat, type Bytes } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import type { Output } from "./types.ts";

/** What may wait in a pipe: as in Linux, enough to keep both sides busy and little enough not to matter. */
const PIPE_BYTES_MAX: number = 64 * 1024;

interface PipeEnd extends Output {
  /** The reader gets what is there, then the end. What is written later is refused. */
  end(): void;
}

export interface Pipe {
  readonly output: PipeEnd;
  /** One reader at a time; leaving the loop lets the next one go on where it stopped. */
  readonly input: AsyncIterable<Uint8Array>;
  /** The reader goes for good: writers get "closed", those that wait too. */
  close(): void;
}

export function createPipe(bytesMax: number = PIPE_BYTES_MAX): Pipe {
  const queue: Uint8Array[] = [];
  let queuedBytes = 0;
  let ended = false;
  let closed = false;
  /** Those who wait for any change. Readers and writers never wait for the same one. */
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

/** All bytes of a stream, at most `bytesMax`, else rejects with "too-large". */
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
