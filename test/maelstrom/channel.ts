/** One end of a channel over a link of Maelstrom messages. */
import { concat, lengthOf, whole } from "../../core/base/bytes.ts";
import { StarfishError } from "../../core/base/errors.ts";
import { type Channel, CHANNEL_BUFFER_BYTES, type Message, MESSAGE_BYTES_MAX } from "../../core/ports/network.ts";
import type { Frame } from "./wire.ts";

/** Bytes of a message in one frame. */
const PIECE_BYTES = 64 * 1024;

export interface ChannelPorts {
  readonly transmit: (frame: Frame) => void;
  /** Calls back later, never from inside what is called now. */
  readonly later: (call: () => void) => void;
  readonly forget: () => void;
}

type Item = Uint8Array | "end";

export class MaelstromChannel implements Channel {
  readonly protocol: string;
  readonly #id: number;
  readonly #ports: ChannelPorts;
  #buffered = 0;
  #wakeDrained: (() => void)[] = [];
  #pieces: Uint8Array[] = [];
  #pieceBytes = 0;
  #inbox: Item[] = [];
  #isFlushing = false;
  #receive: ((message: Uint8Array) => void) | undefined;
  #onEnd: () => void = () => {};
  #onClose: (error: StarfishError | undefined) => void = () => {};
  #ended = false;
  #peerEnded = false;
  #closed: { readonly error: StarfishError | undefined } | undefined;

  constructor(id: number, protocol: string, ports: ChannelPorts) {
    this.#id = id;
    this.protocol = protocol;
    this.#ports = ports;
  }

  send(message: Message): boolean {
    const length = lengthOf(message);
    if (length > MESSAGE_BYTES_MAX) {
      throw new StarfishError("too-large", `A message has at most ${MESSAGE_BYTES_MAX} bytes, not ${length}`);
    }
    if (this.#closed !== undefined || this.#ended) return false;
    if (this.#buffered + length > 2 * CHANNEL_BUFFER_BYTES) {
      throw new StarfishError("busy", "Too much waits for this channel", { retryable: true });
    }
    this.#buffered += length;
    const bytes = whole(message);
    let at = 0;
    do {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      at += PIECE_BYTES;
      this.#ports.transmit([at < length ? "piece" : "last", this.#id, Buffer.from(piece).toString("base64")]);
    } while (at < length);
    return this.#buffered <= CHANNEL_BUFFER_BYTES;
  }

  drained(): Promise<void> {
    if (this.#closed !== undefined || this.#buffered < CHANNEL_BUFFER_BYTES) return Promise.resolve();
    return new Promise((resolve) => this.#wakeDrained.push(resolve));
  }

  end(): void {
    if (this.#closed !== undefined || this.#ended) return;
    this.#ended = true;
    this.#ports.transmit(["end", this.#id]);
    if (this.#peerEnded) this.close(undefined);
  }

  abort(error: StarfishError): void {
    if (this.#closed !== undefined) return;
    this.#ports.transmit(["abort", this.#id]);
    this.close(error);
  }

  onMessage(receive: (message: Uint8Array) => void): void {
    this.#receive = receive;
    this.#flushSoon();
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    if (this.#peerEnded) this.#ports.later(listener);
  }

  onClose(listener: (error: StarfishError | undefined) => void): void {
    this.#onClose = listener;
    const closed = this.#closed;
    if (closed !== undefined) this.#ports.later(() => listener(closed.error));
  }

  // What comes from the link

  piece(text: string, isLast: boolean): void {
    const bytes = new Uint8Array(Buffer.from(text, "base64"));
    this.#pieces.push(bytes);
    this.#pieceBytes += bytes.length;
    if (this.#pieceBytes > MESSAGE_BYTES_MAX) {
      return this.abort(new StarfishError("too-large", "The other end has sent more than a message may have"));
    }
    if (!isLast) return;
    this.#inbox.push(concat(this.#pieces.splice(0)));
    this.#pieceBytes = 0;
    this.#flush();
  }

  ended(): void {
    this.#inbox.push("end");
    this.#flush();
  }

  /** The reader at the other end has taken so many bytes. */
  taken(bytes: number): void {
    this.#buffered -= bytes;
    if (this.#buffered < CHANNEL_BUFFER_BYTES) this.#wake();
  }

  close(error: StarfishError | undefined): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    this.#inbox = [];
    this.#ports.forget();
    this.#wake();
    this.#ports.later(() => this.#onClose(error));
  }

  #wake(): void {
    for (const resolve of this.#wakeDrained.splice(0)) resolve();
  }

  /** Messages that waited are handed over one at a time, the first not from inside the call that asked for them. */
  #flushSoon(): void {
    if (this.#isFlushing || this.#inbox.length === 0) return;
    this.#isFlushing = true;
    this.#ports.later(() => {
      this.#isFlushing = false;
      this.#take();
      this.#flushSoon();
    });
  }

  #flush(): void {
    if (this.#receive === undefined || this.#inbox.length > 1) this.#flushSoon();
    else this.#take();
  }

  #take(): void {
    if (this.#receive === undefined) return;
    const item = this.#inbox.shift();
    if (item === undefined) return;
    if (item === "end") {
      this.#peerEnded = true;
      this.#onEnd();
      if (this.#ended) this.close(undefined);
      return;
    }
    if (item.length > 0) this.#ports.transmit(["taken", this.#id, item.length]);
    this.#receive(item);
  }
}
