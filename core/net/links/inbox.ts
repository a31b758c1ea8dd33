/**
 * A channel read by awaiting: for exchanges of a few messages. Bounded; a peer that sends more or larger ones is cut
 * off.
 */
import { StarfishError } from "../../base/errors.ts";
import { abortable } from "../../ports/clock.ts";
import type { Channel } from "../../ports/network.ts";

/** The error for callers who still expect a message after an exchange has ended in order. */
const OVER: StarfishError = new StarfishError("link-closed", "The exchange is over");

export class Inbox {
  readonly #messages: Uint8Array[] = [];
  #ended: { readonly error: () => StarfishError } | undefined;
  #wake: (() => void) | undefined;
  readonly #closed = new AbortController();

  /** Takes over the channel's `onMessage`, `onEnd` and `onClose`. */
  constructor(channel: Channel, options: { readonly bytesMax: number; readonly messagesMax: number }) {
    const { bytesMax, messagesMax } = options;
    channel.onMessage((message) => {
      if (this.#ended !== undefined) return;
      if (message.length > bytesMax || this.#messages.length >= messagesMax) {
        const error = new StarfishError("too-large", `More than ${bytesMax} bytes or ${messagesMax} messages at once`);
        this.#end(() => error);
        channel.abort(error);
        return;
      }
      this.#messages.push(message);
      this.#wake?.();
    });
    // Most exchanges end in this way: an error with its stack is made only for a caller who waits for more.
    channel.onEnd(() => this.#end(() => new StarfishError("link-closed", "The other side ended the exchange early")));
    channel.onClose((error = OVER) => {
      this.#end(() => error);
      this.#closed.abort(error);
    });
  }

  /** Aborts when both directions of the channel are over. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Whether nothing more will come and nothing waits here. */
  get isOver(): boolean {
    return this.#ended !== undefined && this.#messages.length === 0;
  }

  /** Whether more may come and nothing waits here. */
  get isQuiet(): boolean {
    return this.#ended === undefined && this.#messages.length === 0;
  }

  /**
   * The next message. Rejects with what ended the channel, once what came before has been read, or with "cancelled".
   * One call at a time.
   */
  async next(signal: AbortSignal): Promise<Uint8Array> {
    while (true) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#ended !== undefined) throw this.#ended.error();
      await abortable(signal, new Promise<void>((resolve) => (this.#wake = resolve)));
    }
  }

  #end(error: () => StarfishError): void {
    this.#ended ??= { error };
    this.#wake?.();
  }
}
