/** A channel read by awaiting: for exchanges of a few messages. Bounded; a peer that sends more or larger ones is cut off. */
import { StarfishError } from "../base/errors.ts";
import { abortable } from "../ports/clock.ts";
import type { Channel } from "../ports/network.ts";

export class Inbox {
  readonly #messages: Uint8Array[] = [];
  #failure: StarfishError | undefined;
  #wake: (() => void) | undefined;
  readonly #closed = new AbortController();

  /** Takes over the channel's `onMessage`, `onEnd` and `onClose`. */
  constructor(channel: Channel, options: { readonly bytesMax: number; readonly messagesMax: number }) {
    const { bytesMax, messagesMax } = options;
    channel.onMessage((message) => {
      if (this.#failure !== undefined) return;
      if (message.length > bytesMax || this.#messages.length >= messagesMax) {
        const error = new StarfishError("too-large", `More than ${bytesMax} bytes or ${messagesMax} messages at once`);
        this.#fail(error);
        channel.abort(error);
        return;
      }
      this.#messages.push(message);
      this.#wake?.();
    });
    channel.onEnd(() => this.#fail(new StarfishError("link-closed", "The other side ended the exchange early")));
    channel.onClose((error) => {
      const reason = error ?? new StarfishError("link-closed", "The exchange is over");
      this.#fail(reason);
      this.#closed.abort(reason);
    });
  }

  /** Aborts when both directions of the channel are over. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Whether nothing more will come, nor waits here. */
  get isOver(): boolean {
    return this.#failure !== undefined && this.#messages.length === 0;
  }

  /** Whether more may come and nothing waits here. */
  get isQuiet(): boolean {
    return this.#failure === undefined && this.#messages.length === 0;
  }

  /**
   * The next message. Rejects with what ended the channel, once what came before has been read, or with "cancelled".
   * One call at a time.
   */
  async next(signal: AbortSignal): Promise<Uint8Array> {
    while (true) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#failure !== undefined) throw this.#failure;
      await abortable(signal, new Promise<void>((resolve) => (this.#wake = resolve)));
    }
  }

  #fail(error: StarfishError): void {
    this.#failure ??= error;
    this.#wake?.();
  }
}
