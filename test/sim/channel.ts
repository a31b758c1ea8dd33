/** One end of a channel over a simulated link. */
import { concat } from "../../core/base/bytes.ts";
import type { Message } from "../../core/ports/network.ts";
import { QueuedChannel } from "../fixtures/queued-channel.ts";
import type { Counters } from "./life.ts";
import type { SimLink } from "./link.ts";
import { FRAME, Frame, type FrameKind } from "./pipe.ts";

const NOTHING = new Uint8Array(0);

export class SimChannel extends QueuedChannel<Frame> {
  readonly #link: SimLink;
  readonly #id: number;
  readonly #counters: Counters;

  constructor(link: SimLink, id: number, protocol: string) {
    super(protocol);
    this.#link = link;
    this.#id = id;
    this.#counters = link.countersOf(protocol);
  }

  protected override get isLinkDown(): boolean {
    return this.#link.state === "down";
  }

  protected override later(call: () => void): void {
    this.#link.later(call);
  }

  protected override forget(): void {
    this.#link.forget(this.#id);
  }

  protected override transmit(message: Message, length: number): void {
    const { sent } = this.#link.out.from;
    sent.messages++;
    sent.bytes += length;
    this.#counters.messages++;
    this.#counters.bytes += length;
    // Copied, since no two machines share memory.
    this.#put(FRAME.message, message instanceof Uint8Array ? message.slice() : concat(message));
  }

  protected override say(what: "end" | "abort"): void {
    this.#put(FRAME[what], NOTHING);
  }

  protected override taking({ payload, sender }: Frame): Uint8Array {
    const { received } = this.#link.out.from;
    received.messages++;
    received.bytes += payload.length;
    sender?.taken(payload.length);
    return payload;
  }

  #put(kind: FrameKind, payload: Uint8Array): void {
    this.#link.out.transmit(new Frame(this.#link.out, kind, this.#id, payload, this));
  }
}
