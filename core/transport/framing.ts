/**
 * Messages on a byte stream: each is preceded by its length in 4 bytes (big-endian), and a stream that ends on purpose
 * ends with END_MARK instead of a length. So a reader can tell "no more messages" from a connection that broke, which
 * the transports below report alike.
 *
 * Pure. Cost is linear in the bytes: small messages are copied into one piece, large ones are passed by reference.
 */
import type { Bytes } from "../base/bytes.ts";
import { MESSAGE_BYTES_MAX } from "../ports/network.ts";

export const HEADER_BYTES = 4;

/** Stands where a length would stand: the sender is done. Far above MESSAGE_BYTES_MAX. */
const END_MARK = 0xffffffff;

/**
 * Below this a message is copied. Sending it by reference would cost a piece of its own in every layer below, and
 * receiving it by reference would keep the network's buffer (64 KiB or more) alive for a few bytes.
 */
const COPY_BELOW_BYTES = 4 * 1024;

export function endFrame(): Uint8Array {
  return header(END_MARK);
}

/** The messages as frames, in few pieces: the small ones packed together, the large ones as they are. */
export function encodeFrames(messages: readonly Bytes[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let start = 0;
  for (let i = 0; i < messages.length; i++) {
    const message = messages[i] as Bytes;
    if (message.length < COPY_BELOW_BYTES) continue;
    pieces.push(packFrames(messages, start, i, message.length), message);
    start = i + 1;
  }
  if (start < messages.length) pieces.push(packFrames(messages, start, messages.length));
  return pieces;
}

/** One piece of the frames of messages[start..end), followed by the header of a message of `nextLength`. */
function packFrames(messages: readonly Bytes[], start: number, end: number, nextLength?: number): Uint8Array {
  let size = nextLength === undefined ? 0 : HEADER_BYTES;
  for (let i = start; i < end; i++) size += HEADER_BYTES + (messages[i] as Bytes).length;
  const piece = new Uint8Array(size);
  const view = new DataView(piece.buffer);
  let offset = 0;
  for (let i = start; i < end; i++) {
    const message = messages[i] as Bytes;
    view.setUint32(offset, message.length);
    piece.set(message, offset + HEADER_BYTES);
    offset += HEADER_BYTES + message.length;
  }
  if (nextLength !== undefined) view.setUint32(offset, nextLength);
  return piece;
}

function header(length: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}

export interface FrameReceiver {
  message(message: Uint8Array): void;
  end(): void;
  /** The sender announced a message above MESSAGE_BYTES_MAX. The decoder ignores everything after it. */
  tooLarge(length: number): void;
}

/** Cuts a stream of chunks into messages again. Holds at most one message that is not complete. */
export class FrameDecoder {
  readonly #receiver: FrameReceiver;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  /** The message being put together from several chunks. */
  #body: Uint8Array | undefined;
  #bodyBytes = 0;
  #over = false;

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
  }

  push(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length && !this.#over) {
      offset = this.#body === undefined ? this.#readHeader(chunk, offset) : this.#readBody(this.#body, chunk, offset);
    }
  }

  #readHeader(chunk: Uint8Array, start: number): number {
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
    if (length > MESSAGE_BYTES_MAX) {
      this.#over = true;
      this.#receiver.tooLarge(length);
      return offset;
    }
    return this.#startBody(chunk, offset, length);
  }

  #startBody(chunk: Uint8Array, offset: number, length: number): number {
    const end = offset + length;
    if (end <= chunk.length) {
      this.#receiver.message(length < COPY_BELOW_BYTES ? chunk.slice(offset, end) : chunk.subarray(offset, end));
      return end;
    }
    this.#body = new Uint8Array(length);
    this.#bodyBytes = 0;
    return offset;
  }

  #readBody(body: Uint8Array, chunk: Uint8Array, offset: number): number {
    const taken = Math.min(body.length - this.#bodyBytes, chunk.length - offset);
    body.set(chunk.subarray(offset, offset + taken), this.#bodyBytes);
    this.#bodyBytes += taken;
    if (this.#bodyBytes === body.length) {
      this.#body = undefined;
      this.#receiver.message(body);
    }
    return offset + taken;
  }
}
