/**
 * The port's Channel over one libp2p stream. Messages are framed (framing.ts), batched until the end of the running
 * turn, and given to the stream whenever it takes more. Reading can't be slowed down (WebRTC offers no way to). So
 * messages that nobody receives are kept up to twice CHANNEL_BUFFER_BYTES; then the channel closes as "busy".
 */
import type { Stream } from "@libp2p/interface";
import { Uint8ArrayList } from "uint8arraylist";
import { lengthOf } from "../base/bytes.ts";
import { StarfishError } from "../base/errors.ts";
import { CHANNEL_BUFFER_BYTES, type Channel, type Message, MESSAGE_BYTES_MAX } from "../ports/network.ts";
import { encodeFrames, endFrame, FrameDecoder, HEADER_BYTES } from "./framing.ts";

/** Above this, bytes are refused in either direction. */
const BUFFER_BYTES_MAX = 2 * CHANNEL_BUFFER_BYTES;

export interface ChannelLimits {
  /** The largest message that the other end may send. */
  readonly messageBytesMax?: number;
  /** Asked for all bytes that arrive; if it returns false, the channel ends as "busy". */
  readonly mayCome?: (bytes: number) => boolean;
}

export class StreamChannel implements Channel {
  readonly protocol: string;
  readonly #stream: Stream;

  #outbox: Message[] = [];
  #outboxBytes = 0;
  #flushing = false;
  #localEnd: "open" | "wanted" | "sent" = "open";
  #waiting: (() => void)[] = [];

  #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #remoteEnded = false;
  #closed: { readonly error: StarfishError | undefined } | undefined;

  #receive: ((message: Uint8Array) => void) | undefined;
  #onEnd: (() => void) | undefined;
  #onClose: ((error: StarfishError | undefined) => void) | undefined;
  readonly #onOver: (channel: StreamChannel) => void;

  /** Takes the stream over; `onOver` is called once, before the owner's onClose. */
  constructor(stream: Stream, onOver: (channel: StreamChannel) => void, limits: ChannelLimits = {}) {
    this.protocol = stream.protocol;
    this.#stream = stream;
    this.#onOver = onOver;
    const decoder = new FrameDecoder(
      {
        message: (message) => this.#received(message),
        end: () => this.#remoteEnd(),
        tooLarge: (length) =>
          this.abort(new StarfishError("too-large", `The other end sent a message of ${length} bytes`)),
      },
      limits.messageBytesMax,
    );
    stream.addEventListener("close", (event) => this.#streamClosed(event.error));
    stream.addEventListener("end", () => this.#streamEnded());
    stream.addEventListener("drain", () => this.#scheduleFlush());
    stream.addEventListener("idle", () => this.#scheduleFlush());
    stream.addEventListener("message", ({ data }) => {
      if (limits.mayCome?.(data.byteLength) === false) {
        return this.abort(
          new StarfishError("busy", "Too much data from somebody who is no member yet", { retryable: true }),
        );
      }
      this.#take(decoder, data);
    });
    if (stream.status !== "open") queueMicrotask(() => this.#streamClosed(undefined));
  }

  send(message: Message): boolean {
    const length = lengthOf(message);
    if (length > MESSAGE_BYTES_MAX) {
      throw new StarfishError("too-large", `A message has at most ${MESSAGE_BYTES_MAX} bytes, not ${length}`);
    }
    if (this.#closed !== undefined || this.#localEnd !== "open") return false;
    const buffered = this.#bufferedBytes() + HEADER_BYTES + length;
    if (buffered > BUFFER_BYTES_MAX) {
      throw new StarfishError("busy", `More than ${BUFFER_BYTES_MAX} bytes wait to be sent`, { retryable: true });
    }
    this.#outbox.push(message);
    this.#outboxBytes += HEADER_BYTES + length;
    this.#scheduleFlush();
    return buffered <= CHANNEL_BUFFER_BYTES;
  }

  drained(): Promise<void> {
    if (this.#closed !== undefined || this.#bufferedBytes() <= CHANNEL_BUFFER_BYTES) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  end(): void {
    if (this.#closed !== undefined || this.#localEnd !== "open") return;
    this.#localEnd = "wanted";
    this.#scheduleFlush();
  }

  abort(error: StarfishError): void {
    if (this.#closed !== undefined) return;
    this.#inbox = [];
    this.#receive = undefined;
    this.#close(error);
    this.#stream.abort(error);
  }

  onMessage(receive: (message: Uint8Array) => void): void {
    this.#receive = receive;
    queueMicrotask(() => this.#deliver());
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    queueMicrotask(() => this.#deliver());
  }

  onClose(listener: (error: StarfishError | undefined) => void): void {
    this.#onClose = listener;
    queueMicrotask(() => this.#deliver());
  }

  /** The link closes: bytes that were sent are left to the stream, and the channel ends with `error`. */
  release(error: StarfishError): void {
    if (this.#closed !== undefined) return;
    this.#handOver();
    this.#close(error);
  }

  /**
   * An error that a receiver throws is a bug. It leaves here unchanged, for whoever reports bugs, and costs this
   * channel only.
   */
  #take(decoder: FrameDecoder, data: Uint8Array | Uint8ArrayList): void {
    try {
      if (data instanceof Uint8Array) decoder.push(data);
      else for (const chunk of data) decoder.push(chunk);
    } catch (error) {
      this.abort(new StarfishError("closed", "A message on this channel could not be handled", { cause: error }));
      throw error;
    }
  }

  #bufferedBytes(): number {
    return this.#outboxBytes + this.#stream.writeBufferLength;
  }

  /**
   * At the end of this turn, so that the messages of one turn share pieces, and after the stream has handled its own
   * event.
   */
  #scheduleFlush(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#closed !== undefined) return;
    if (!this.#stream.writableNeedsDrain) this.#handOver();
    if (this.#closed === undefined && this.#bufferedBytes() <= CHANNEL_BUFFER_BYTES) this.#wakeWaiting();
  }

  #handOver(): void {
    const pieces = encodeFrames(this.#outbox);
    if (this.#localEnd === "wanted") pieces.push(endFrame());
    this.#outbox = [];
    this.#outboxBytes = 0;
    if (pieces.length === 0) return;
    try {
      this.#stream.send(new Uint8ArrayList(...pieces));
    } catch (error) {
      this.#streamClosed(error);
      return;
    }
    if (this.#localEnd === "wanted") {
      this.#localEnd = "sent";
      this.#closeIfEnded();
    }
  }

  #wakeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #received(message: Uint8Array): void {
    if (this.#closed !== undefined) return;
    if (this.#receive !== undefined && this.#inbox.length === 0) return this.#receive(message);
    this.#inbox.push(message);
    this.#inboxBytes += message.length;
    if (this.#inboxBytes > BUFFER_BYTES_MAX) {
      this.abort(new StarfishError("busy", "Nobody receives what the other end sends", { retryable: true }));
    }
  }

  #remoteEnd(): void {
    if (this.#closed !== undefined) return;
    this.#remoteEnded = true;
    this.#deliver();
    this.#closeIfEnded();
  }

  #closeIfEnded(): void {
    if (this.#localEnd !== "sent" || !this.#remoteEnded) return;
    this.#close(undefined);
    // The stream's own closing messages. Both ends know already what they say, so a failure changes nothing.
    this.#stream.close().catch((error: unknown) => this.#stream.abort(asError(error)));
  }

  /** No more bytes will come. After an end mark that is right; otherwise the connection has broken. */
  #streamEnded(): void {
    if (!this.#remoteEnded) this.#streamClosed(undefined);
  }

  #streamClosed(cause: unknown): void {
    this.#close(
      new StarfishError("link-closed", "The connection or its other end has gone", { cause, retryable: true }),
    );
  }

  #close(error: StarfishError | undefined): void {
    if (this.#closed !== undefined) return;
    this.#closed = { error };
    this.#outbox = [];
    this.#outboxBytes = 0;
    this.#wakeWaiting();
    this.#onOver(this);
    queueMicrotask(() => this.#deliver());
  }

  /** Like `#take`, for events that are delivered later. */
  #deliver(): void {
    try {
      this.#tell();
    } catch (error) {
      this.abort(new StarfishError("closed", "A message on this channel could not be handled", { cause: error }));
      throw error;
    }
  }

  /** Delivers events in order: messages, the end, the close. An event without a listener waits for one. */
  #tell(): void {
    const messages = this.#receive === undefined ? [] : this.#inbox;
    if (messages.length > 0) {
      this.#inbox = [];
      this.#inboxBytes = 0;
      for (const message of messages) this.#receive?.(message);
    }
    const waiting = this.#receive === undefined && this.#inbox.length > 0;
    if (this.#remoteEnded && !waiting && this.#onEnd !== undefined) {
      const onEnd = this.#onEnd;
      this.#onEnd = undefined;
      onEnd();
    }
    if (this.#closed !== undefined && this.#onClose !== undefined) {
      const onClose = this.#onClose;
      this.#onClose = undefined;
      onClose(this.#closed.error);
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
