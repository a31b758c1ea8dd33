/**
 * Messages on a byte stream. Each is preceded by its length in 4 bytes (big-endian), and a stream that ends on purpose
 * ends with END_MARK instead of a length. So a reader can tell "no more messages" from a broken connection, which the
 * transports below report alike.
 *
 * Pure. The cost is linear in the bytes: small messages are copied into one piece, large ones are passed by reference.
 */
import { type Bytes, concat, copyOf, lengthOf } from "../base/bytes.ts";
import { own, releaseWhole, share } from "../base/owned.ts";
import { type Message, MESSAGE_BYTES_MAX } from "../ports/network.ts";

export const HEADER_BYTES = 4;

/** In the place of a length: the sender is done. It is far above MESSAGE_BYTES_MAX. */
const END_MARK = 0xffffffff;

/**
 * A shorter message is copied. Sending it by reference would cost a piece of its own in every layer below, and
 * receiving it by reference would keep the network's buffer (64 KiB or more) alive for a few bytes.
 */
const COPY_BELOW_BYTES = 4 * 1024;

export function endFrame(): Uint8Array {
  return header(END_MARK);
}

/** The messages as frames, in few pieces: small ones packed together, large ones unchanged. */
export function encodeFrames(messages: readonly Message[]): Bytes[] {
  const pieces: Bytes[] = [];
  let small: Bytes[] = [];
  const pack = (): void => {
    if (small.length > 0) pieces.push(concat(small));
    small = [];
  };
  for (const message of messages) {
    small.push(header(lengthOf(message)));
    for (const piece of message instanceof Uint8Array ? [message] : message) {
      if (piece.length < COPY_BELOW_BYTES) {
        small.push(piece);
      } else {
        pack();
        pieces.push(piece);
      }
    }
  }
  pack();
  return pieces;
}

function header(length: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}

export interface FrameReceiver {
  message(message: Uint8Array): void;
  end(): void;
  /** The sender announced a message above the maximum. The decoder ignores everything after it. */
  tooLarge(length: number): void;
}

/** A message of this length or more has a buffer of its own, which its reader may release. */
const OWN_FROM_BYTES = 64 * 1024;

/**
 * How much larger the buffer of a message may be than the bytes that have arrived, so that a peer that announces much
 * and sends little uses little memory.
 */
const GROWTH = 4;
const BODY_BYTES_MIN = 1_024;

/** Splits a stream of chunks into messages again. Holds at most one incomplete message. */
export class FrameDecoder {
  readonly #receiver: FrameReceiver;
  readonly #sizeMax: number;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  /** The message that is being assembled from several chunks: the bytes that have arrived, and some room for more. */
  #body: Uint8Array | undefined;
  #bodyBytes = 0;
  /** Its length when it is complete. */
  #length = 0;
  #over = false;

  /** Messages of more than `sizeMax` bytes are too large. */
  constructor(receiver: FrameReceiver, sizeMax: number = MESSAGE_BYTES_MAX) {
    this.#receiver = receiver;
    this.#sizeMax = sizeMax;
  }

  /** Takes the chunk over: nobody may use it afterwards. */
  push(chunk: Bytes): void {
    let offset = 0;
    while (offset < chunk.length && !this.#over) {
      offset = this.#body === undefined ? this.#readHeader(chunk, offset) : this.#readBody(this.#body, chunk, offset);
    }
    releaseWhole(chunk);
  }

  #readHeader(chunk: Bytes, start: number): number {
    let offset = start;
    while (this.#headerBytes < HEADER_BYTES && offset < chunk.length) {
      this.#header[this.#headerBytes++] = chunk[offset++] as number;
    }
    if (this.#headerBytes < HEADER_BYTES) return offset;
    this.#headerBytes = 0;
    const length = new DataView(this.#header.buffer).getUint32(0);
    if (length === END_MARK) {
      this.#over = true;
      this.#receiver.end();
      return offset;
    }
    if (length > this.#sizeMax) {
      this.#over = true;
      this.#receiver.tooLarge(length);
      return offset;
    }
    return this.#startBody(chunk, offset, length);
  }

  #startBody(chunk: Bytes, offset: number, length: number): number {
    const end = offset + length;
    if (end <= chunk.length && length < OWN_FROM_BYTES) {
      this.#receiver.message(cutOut(chunk, offset, length));
      return end;
    }
    this.#length = length;
    const there = chunk.length - offset;
    this.#body = new Uint8Array(Math.min(length, Math.max(BODY_BYTES_MIN, GROWTH * there)));
    this.#bodyBytes = 0;
    return offset;
  }

  #readBody(body: Uint8Array, chunk: Bytes, offset: number): number {
    const taken = Math.min(body.length - this.#bodyBytes, chunk.length - offset);
    body.set(chunk.subarray(offset, offset + taken), this.#bodyBytes);
    this.#bodyBytes += taken;
    if (this.#bodyBytes === this.#length) {
      this.#body = undefined;
      this.#receiver.message(own(body));
    } else if (this.#bodyBytes === body.length) {
      this.#body = grown(body, Math.min(this.#length, GROWTH * body.length));
    }
    return offset + taken;
  }
}

/** A message that is whole within a chunk. A large one stays in place, which keeps the chunk alive. */
function cutOut(chunk: Bytes, offset: number, length: number): Uint8Array {
  const inside = new Uint8Array(chunk.buffer, chunk.byteOffset + offset, length);
  if (length < COPY_BELOW_BYTES) return copyOf(inside);
  share(chunk);
  return inside;
}

function grown(body: Uint8Array, length: number): Uint8Array {
  const larger = new Uint8Array(length);
  larger.set(body);
  releaseWhole(own(body));
  return larger;
}
