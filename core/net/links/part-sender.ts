/**
 * The outgoing side of one part (members, overlay, gossip) on one link: a long-lived channel, opened with the first
 * message and again after it broke. The queue is bounded; above the bound messages are dropped. The parts can stand
 * that, because they repeat what matters.
 */
import type { Bytes } from "../../base/bytes.ts";
import { isStarfishError, StarfishError } from "../../base/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Channel, Link } from "../../ports/network.ts";
import { PART_MESSAGE_BYTES_MAX, PART_QUEUE_BYTES_MAX, PART_QUEUE_MESSAGES_MAX, PART_REOPEN_MS } from "../limits.ts";

export interface PartSenderOptions {
  readonly link: Link;
  readonly protocol: string;
  readonly clock: Clock;
  readonly onSent: (bytes: number) => void;
  /** The other end has sent something on a channel that is ours to speak on. */
  readonly onUnexpected: () => void;
}

export class PartSender {
  readonly #options: PartSenderOptions;
  readonly #queue: Bytes[] = [];
  #queuedBytes = 0;
  #channel: Channel | undefined;
  #opening = false;
  #stalled = false;
  #closed = false;
  #reopenAtMs = 0;
  #idle: (() => void)[] = [];

  constructor(options: PartSenderOptions) {
    this.#options = options;
  }

  /** Queues a message. False: the queue is filling, and messages that can wait should wait. Throws "too-large". */
  send(message: Bytes): boolean {
    if (message.length > PART_MESSAGE_BYTES_MAX) {
      throw new StarfishError("too-large", `A message of ${message.length} bytes; at most ${PART_MESSAGE_BYTES_MAX}`);
    }
    if (this.#closed || this.#isFull(message)) return false;
    this.#queue.push(message);
    this.#queuedBytes += message.length;
    this.#flush();
    return this.#queuedBytes * 2 < PART_QUEUE_BYTES_MAX && this.#queue.length * 2 < PART_QUEUE_MESSAGES_MAX;
  }

  /** Resolves when nothing waits here any more, or nothing more can be sent. */
  flushed(): Promise<void> {
    if (this.#queue.length === 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** The link is over. */
  close(): void {
    this.#closed = true;
    this.#clear();
  }

  #isFull(message: Bytes): boolean {
    const bytes = this.#queuedBytes + message.length;
    return bytes > PART_QUEUE_BYTES_MAX || this.#queue.length >= PART_QUEUE_MESSAGES_MAX;
  }

  #flush(): void {
    if (this.#channel === undefined) return this.#open();
    while (!this.#stalled) {
      const message = this.#queue.shift();
      if (message === undefined) break;
      this.#queuedBytes -= message.length;
      this.#options.onSent(message.length);
      if (!this.#channel.send(message)) this.#stall(this.#channel);
    }
    if (this.#queue.length === 0) this.#wakeIdle();
  }

  #stall(channel: Channel): void {
    this.#stalled = true;
    void channel.drained().then(() => this.#drained(channel));
  }

  #drained(channel: Channel): void {
    if (this.#channel !== channel) return;
    this.#stalled = false;
    this.#flush();
  }

  #open(): void {
    const { link, protocol, clock } = this.#options;
    if (this.#opening || this.#closed) return;
    if (clock.monotonic() < this.#reopenAtMs) return this.#clear();
    this.#opening = true;
    link.open(protocol).then(
      (channel) => this.#opened(channel),
      (error: unknown) => {
        this.#opening = false;
        this.#reopenAtMs = clock.monotonic() + PART_REOPEN_MS;
        // The peer may only need a moment (its hello is under way, or the path changes). A protocol that it does not
        // speak is not tried again.
        if (isStarfishError(error, "unknown-protocol")) this.#reopenAtMs = Number.POSITIVE_INFINITY;
        this.#clear();
      },
    );
  }

  #opened(channel: Channel): void {
    this.#opening = false;
    if (this.#closed) return channel.end();
    this.#channel = channel;
    channel.onMessage(() => this.#options.onUnexpected());
    channel.onEnd(() => {});
    channel.onClose(() => {
      this.#channel = undefined;
      this.#stalled = false;
      this.#reopenAtMs = this.#options.clock.monotonic() + PART_REOPEN_MS;
      this.#clear();
    });
    this.#flush();
  }

  #clear(): void {
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#wakeIdle();
  }

  #wakeIdle(): void {
    const idle = this.#idle;
    this.#idle = [];
    for (const wake of idle) wake();
  }
}
