/**
 * A channel within a channel. Each message is sealed under a key that only the two ends have, with its number as the
 * nonce. The nodes that carry the messages can neither read nor change them. A message that is changed, repeated, left
 * out or out of order ends the channel. This file can't tell whether the other end meant to end the channel, or a
 * carrier cut it off. The protocol inside has to notice that, as a transfer does.
 */
import { whole } from "../../base/bytes.ts";
import { isStarfishError, StarfishError, toStarfishError } from "../../base/errors.ts";
import type { Inbox as Messages } from "../../net/links/inbox.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Channel, Message } from "../../ports/network.ts";

const NONCE_BYTES = 24;
const NOTHING = new Uint8Array(0);

export interface SealedKeys {
  /** The keys for what this end sends, and for what the other end sends. */
  readonly own: Uint8Array;
  readonly other: Uint8Array;
}

export class SealedChannel implements Channel {
  readonly protocol: string;
  readonly #channel: Channel;
  readonly #messages: Messages;
  readonly #keys: SealedKeys;
  readonly #crypto: Crypto;
  readonly #over = new AbortController();
  #sent = 0;
  #received = 0;
  #onEnd: () => void = () => {};
  #onClose: (error: StarfishError | undefined) => void = () => {};
  /** A received message was not sealed by the other end, or is out of order. */
  failure: StarfishError | undefined;
  #end: { readonly error: StarfishError | undefined } | undefined;

  /** `messages` reads the channel on whose keys the ends have agreed. */
  constructor(channel: Channel, messages: Messages, keys: SealedKeys, crypto: Crypto) {
    this.protocol = channel.protocol;
    this.#channel = channel;
    this.#messages = messages;
    this.#keys = keys;
    this.#crypto = crypto;
    messages.closed.addEventListener("abort", () => this.#closed(), { once: true });
    if (messages.closed.aborted) this.#closed();
  }

  send(message: Message): boolean {
    const nonce = nonceOf(this.#sent++);
    return this.#channel.send(this.#crypto.seal(this.#keys.own, nonce, whole(message), NOTHING));
  }

  drained(): Promise<void> {
    return this.#channel.drained();
  }

  end(): void {
    this.#channel.end();
  }

  abort(error: StarfishError): void {
    this.#over.abort(error);
    this.#channel.abort(error);
  }

  onMessage(receive: (message: Uint8Array) => void): void {
    void this.#read(receive);
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
  }

  onClose(listener: (error: StarfishError | undefined) => void): void {
    this.#onClose = listener;
    const end = this.#end;
    if (end !== undefined) queueMicrotask(() => listener(end.error));
  }

  /** Never rejects. */
  async #read(receive: (message: Uint8Array) => void): Promise<void> {
    try {
      for (;;) {
        const sealed = await this.#messages.next(this.#over.signal);
        const opened = this.#crypto.open(this.#keys.other, nonceOf(this.#received++), sealed, NOTHING);
        if (opened === undefined) {
          this.failure = new StarfishError("malformed", "What came was changed on its way: it is dropped");
          throw this.failure;
        }
        receive(opened);
      }
    } catch (error) {
      if (isStarfishError(error, "link-closed") || this.#over.signal.aborted) this.#onEnd();
      else this.abort(toStarfishError(error, "io"));
    }
  }

  #closed(): void {
    const { reason } = this.#messages.closed;
    // A regular end is reported as "The exchange is over".
    const error = toStarfishError(reason, "link-closed");
    this.#end = { error };
    this.#onClose(error);
  }
}

/** Each message of each direction has its own nonce. */
function nonceOf(count: number): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES);
  new DataView(nonce.buffer).setBigUint64(NONCE_BYTES - 8, BigInt(count));
  return nonce;
}
