/** One end of a channel over a simulated link. */
import { concat, lengthOf } from "../../core/base/bytes.ts";
import { StarfishError } from "../../core/base/errors.ts";
import { type Channel, CHANNEL_BUFFER_BYTES, type Message, MESSAGE_BYTES_MAX } from "../../core/ports/network.ts";
import type { Counters } from "./life.ts";
import type { SimLink } from "./link.ts";
import { FRAME, Frame, type FrameKind } from "./pipe.ts";

const NOTHING = new Uint8Array(0);

export class SimChannel implements Channel {
  readonly protocol: string;
  readonly #link: SimLink;
  readonly #id: number;
  readonly #counters: Counters;
  #buffered = 0;
  #wakeDrained: (() => void)[] = [];
  #inbox: Frame[] = [];
  #receive: ((message: Uint8Array) => void) | undefined;
  #onEnd: () => void = () => {};
  #onClose: (error: StarfishError | undefined) => void = () => {};
  #ended = false;
  #peerEnded = false;
  #closed: { readonly error: StarfishError | undefined } | undefined;

  constructor(link: SimLink, id: number, protocol: string) {
    this.#link = link;
    this.#id = id;
    this.protocol = protocol;
    this.#counters = link.countersOf(protocol);
  }

  send(message: Message): boolean {
    const length = lengthOf(message);
    if (length > MESSAGE_BYTES_MAX) {
      throw new StarfishError("too-large", `A message has at most ${MESSAGE_BYTES_MAX} bytes, not ${length}`);
    }
    if (this.#closed !== undefined || this.#ended || this.#link.state === "down") return false;
    if (this.#buffered + length > 2 * CHANNEL_BUFFER_BYTES) {
      throw new StarfishError("busy", "Too much waits for this channel", { retryable: true });
    }
    this.#buffered += length;
    const { sent } = this.#link.out.from;
    sent.messages++;
    sent.bytes += length;
    this.#counters.messages++;
    this.#counters.bytes += length;
    // Copied, since no two machines share memory.
    this.#transmit(FRAME.message, message instanceof Uint8Array ? message.slice() : concat(message));
    return this.#buffered <= CHANNEL_BUFFER_BYTES;
  }

  drained(): Promise<void> {
    if (this.#closed !== undefined || this.#buffered < CHANNEL_BUFFER_BYTES) return Promise.resolve();
    return new Promise((resolve) => this.#wakeDrained.push(resolve));
  }

  end(): void {
    if (this.#closed !== undefined || this.#ended) return;
    this.#ended = true;
    this.#transmit(FRAME.end, NOTHING);
    if (this.#peerEnded) this.close(undefined);
  }

  abort(error: StarfishError): void {
    if (this.#closed !== undefined) return;
    this.#transmit(FRAME.abort, NOTHING);
    this.close(error);
  }

  onMessage(receive: (message: Uint8Array) => void): void {
    const first = this.#receive === undefined;
    this.#receive = receive;
    if (first && this.#inbox.length > 0) this.#link.later(() => this.#flush());
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    if (this.#peerEnded) this.#link.later(listener);
  }

  onClose(listener: (error: StarfishError | undefined) => void): void {
    this.#onClose = listener;
    const closed = this.#closed;
    if (closed !== undefined) this.#link.later(() => listener(closed.error));
  }

  /** A message or the end has come. */
  arrive(frame: Frame): void {
    if (this.#receive === undefined || this.#inbox.length > 0) this.#inbox.push(frame);
    else this.#consume(frame);
  }

  /** Over, in both directions. The listener hears it in an event of its own. */
  close(error: StarfishError | undefined): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    this.#inbox = [];
    this.#link.forget(this.#id);
    this.#wake();
    const listener = this.#onClose;
    this.#link.later(() => listener(error));
  }

  /** The reader at the other end has taken `bytes` of what we sent. */
  #taken(bytes: number): void {
    this.#buffered -= bytes;
    if (this.#buffered < CHANNEL_BUFFER_BYTES && this.#wakeDrained.length > 0) this.#wake();
  }

  #wake(): void {
    const wake = this.#wakeDrained;
    this.#wakeDrained = [];
    for (const resolve of wake) resolve();
  }

  /** Hands over the first message that waits, and the next one in an event of its own. */
  #flush(): void {
    const frame = this.#inbox[0];
    if (frame === undefined) return;
    this.#consume(frame);
    this.#inbox.shift();
    if (this.#inbox.length > 0) this.#link.later(() => this.#flush());
  }

  #consume(frame: Frame): void {
    if (frame.kind === FRAME.end) {
      this.#peerEnded = true;
      this.#onEnd();
      if (this.#ended) this.close(undefined);
      return;
    }
    const { received } = this.#link.out.from;
    received.messages++;
    received.bytes += frame.payload.length;
    const { sender } = frame;
    if (sender !== undefined) sender.#taken(frame.payload.length);
    this.#receive?.(frame.payload);
  }

  #transmit(kind: FrameKind, payload: Uint8Array): void {
    this.#link.out.transmit(new Frame(this.#link.out, kind, this.#id, payload, this));
  }
}
