/** A link between two nodes under Maelstrom: channels over one wire. */
import { cancelled, StarfishError, throwIfAborted } from "../../core/base/errors.ts";
import { Listeners, type Unsubscribe } from "../../core/base/events.ts";
import type { Clock } from "../../core/ports/clock.ts";
import type { Channel, Link, LinkPath, PeerId } from "../../core/ports/network.ts";
import { MaelstromChannel } from "./channel.ts";
import type { Frame, Wire } from "./wire.ts";

const OPEN_TIMEOUT_MS = 10_000;

export interface LinkPorts {
  readonly clock: Clock;
  readonly wire: Wire;
  readonly handler: (protocol: string) => ((channel: Channel, link: Link) => void) | undefined;
  readonly down: () => void;
  readonly later: (call: () => void) => void;
}

export class MaelstromLink implements Link {
  readonly peer: PeerId;
  readonly inbound: boolean;
  readonly upSinceMs: number;
  readonly #ports: LinkPorts;
  readonly #channels = new Map<number, MaelstromChannel>();
  readonly #opening = new Map<number, PromiseWithResolvers<Channel>>();
  readonly #closed = new Listeners<void>();
  #isUp = true;
  #lastChannel: number;

  constructor(peer: PeerId, inbound: boolean, ports: LinkPorts) {
    this.peer = peer;
    this.inbound = inbound;
    this.#ports = ports;
    this.#lastChannel = inbound ? 1 : 0;
    this.upSinceMs = ports.clock.monotonic();
  }

  path(): LinkPath {
    return { kind: "direct", transport: "simulated" };
  }

  async open(protocol: string, options: { signal?: AbortSignal | undefined } = {}): Promise<Channel> {
    const { signal } = options;
    throwIfAborted(signal);
    if (!this.#isUp) throw closedError("The link is closed");
    this.#lastChannel += 2;
    const id = this.#lastChannel;
    const opening = Promise.withResolvers<Channel>();
    const channel = this.#channel(id, protocol);
    this.#opening.set(id, opening);
    const giveUp = (error: StarfishError): void => {
      this.#opening.delete(id);
      channel.abort(error);
      opening.reject(error);
    };
    const late = new StarfishError("timeout", `${protocol} was not answered in time`, { retryable: true });
    const timer = this.#ports.clock.timer(OPEN_TIMEOUT_MS, () => giveUp(late));
    const stop = (): void => {
      if (signal !== undefined) giveUp(cancelled(signal));
    };
    signal?.addEventListener("abort", stop, { once: true });
    this.#ports.wire.send(["open", id, protocol]);
    try {
      return await opening.promise;
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", stop);
    }
  }

  async close(): Promise<void> {
    if (!this.#isUp) return;
    this.#ports.wire.send(["fin"]);
    this.down("This end closed the link");
  }

  onClose(listener: () => void): Unsubscribe {
    if (this.#isUp) return this.#closed.add(listener);
    this.#ports.later(listener);
    return () => {};
  }

  down(reason: string): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    const error = closedError(reason);
    for (const opening of this.#opening.values()) opening.reject(error);
    this.#opening.clear();
    for (const channel of [...this.#channels.values()]) channel.close(error);
    this.#ports.down();
    this.#ports.later(() => this.#closed.emit());
  }

  receive([kind, first, second]: Frame): void {
    if (!this.#isUp) return;
    if (kind === "fin") return this.down("The other end closed the link");
    const id = Number(first);
    const channel = this.#channels.get(id);
    switch (kind) {
      case "open":
        return this.#accept(id, String(second));
      case "accepted":
        if (channel !== undefined) this.#opening.get(id)?.resolve(channel);
        this.#opening.delete(id);
        return;
      case "denied":
        this.#opening.get(id)?.reject(new StarfishError("unknown-protocol", "The peer does not speak this protocol"));
        this.#opening.delete(id);
        return channel?.close(closedError("The channel was refused"));
      case "piece":
      case "last":
        return channel?.piece(String(second), kind === "last");
      case "taken":
        return channel?.taken(Number(second));
      case "end":
        return channel?.arrive("end");
      case "abort":
        return channel?.close(closedError("The other end aborted the channel"));
    }
  }

  #accept(id: number, protocol: string): void {
    const accept = this.#ports.handler(protocol);
    if (accept === undefined) return this.#ports.wire.send(["denied", id]);
    // Before whatever the handler sends.
    this.#ports.wire.send(["accepted", id]);
    accept(this.#channel(id, protocol), this);
  }

  #channel(id: number, protocol: string): MaelstromChannel {
    const channel = new MaelstromChannel(id, protocol, {
      transmit: (frame) => {
        if (this.#isUp) this.#ports.wire.send(frame);
      },
      later: this.#ports.later,
      forget: () => this.#channels.delete(id),
    });
    this.#channels.set(id, channel);
    return channel;
  }
}

function closedError(reason: string): StarfishError {
  return new StarfishError("link-closed", reason, { retryable: true });
}
