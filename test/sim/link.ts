/** One end of a simulated connection between two lives of machines, and the connection itself. */
import { text, utf8 } from "../../core/base/bytes.ts";
import { cancelled, StarfishError, throwIfAborted } from "../../core/base/errors.ts";
import { Listeners, type Unsubscribe } from "../../core/base/events.ts";
import type { Channel, Link, LinkPath, PeerId } from "../../core/ports/network.ts";
import { SimChannel } from "./channel.ts";
import type { Fabric } from "./fabric.ts";
import type { Counters } from "./life.ts";
import type { SimNetwork } from "./network.ts";
import { FRAME, Frame, type FrameKind, Pipe } from "./pipe.ts";
import type { SimEvent } from "./scheduler.ts";

/** How long a peer may take to say whether it speaks a protocol. */
const OPEN_TIMEOUT_MS = 10_000;

const NOTHING = new Uint8Array(0);

/** A connection: two ends and two pipes. At most one is alive between two lives. */
export class Wire {
  readonly dialler: SimLink;
  readonly answerer: SimLink;
  readonly via: SimNetwork | undefined;
  /** Breaks the wire when a cut has lasted too long. */
  breaking: SimEvent | undefined;

  constructor(
    fabric: Fabric,
    dialler: SimNetwork,
    answerer: SimNetwork,
    relay: { via: SimNetwork; reason: string } | undefined,
  ) {
    this.via = relay?.via;
    const viaMachine = relay?.via.machine;
    const there = new Pipe(fabric, dialler.machine, answerer.machine, viaMachine);
    const back = new Pipe(fabric, answerer.machine, dialler.machine, viaMachine);
    const path: LinkPath =
      relay === undefined
        ? { kind: "direct", transport: "simulated" }
        : { kind: "relayed", transport: "simulated", via: relay.via.self, reason: relay.reason };
    this.dialler = new SimLink(fabric, this, dialler, answerer.self, path, there, false);
    this.answerer = new SimLink(fabric, this, answerer, dialler.self, path, back, true);
    there.receive = (frame) => this.answerer.receive(frame);
    back.receive = (frame) => this.dialler.receive(frame);
    const lost = (): void => void fabric.scheduler.after(0, "lost", () => this.break());
    there.broken = lost;
    back.broken = lost;
  }

  end(of: SimNetwork): SimLink {
    return this.dialler.network === of ? this.dialler : this.answerer;
  }

  get cut(): boolean {
    return this.dialler.out.cut || this.answerer.out.cut;
  }

  /** Both ends see it close now. */
  break(): void {
    this.dialler.down("The connection broke");
    this.answerer.down("The connection broke");
  }
}

export class SimLink implements Link {
  readonly peer: PeerId;
  readonly network: SimNetwork;
  readonly wire: Wire;
  readonly out: Pipe;
  inbound: boolean;
  /** "pending" while the handshake is not over at this end. */
  state: "pending" | "up" | "down" = "pending";
  upSinceMs = 0;
  readonly #fabric: Fabric;
  readonly #path: LinkPath;
  readonly #closed = new Listeners<void>();
  readonly #channels = new Map<number, SimChannel>();
  readonly #opening = new Map<number, PromiseWithResolvers<Channel>>();
  #lastChannel: number;

  constructor(
    fabric: Fabric,
    wire: Wire,
    network: SimNetwork,
    peer: PeerId,
    path: LinkPath,
    out: Pipe,
    inbound: boolean,
  ) {
    this.#fabric = fabric;
    this.wire = wire;
    this.network = network;
    this.peer = peer;
    this.#path = path;
    this.out = out;
    this.inbound = inbound;
    this.#lastChannel = inbound ? 1 : 0;
  }

  path(): LinkPath {
    return this.#path;
  }

  async open(protocol: string, options: { signal?: AbortSignal | undefined } = {}): Promise<Channel> {
    const { signal } = options;
    throwIfAborted(signal);
    if (this.state !== "up") throw new StarfishError("link-closed", "The link is closed", { retryable: true });
    this.#lastChannel += 2;
    const id = this.#lastChannel;
    const opening = Promise.withResolvers<Channel>();
    const channel = new SimChannel(this, id, protocol);
    this.#channels.set(id, channel);
    this.#opening.set(id, opening);
    const giveUp = (error: StarfishError): void => {
      this.#opening.delete(id);
      channel.abort(error);
      opening.reject(error);
    };
    const timer = this.#fabric.scheduler.after(OPEN_TIMEOUT_MS, "open-timeout", () =>
      giveUp(
        new StarfishError("timeout", `${protocol} was not answered in ${OPEN_TIMEOUT_MS} ms`, { retryable: true }),
      ),
    );
    const stop = (): void => {
      if (signal !== undefined) giveUp(cancelled(signal));
    };
    signal?.addEventListener("abort", stop, { once: true });
    this.#transmit(FRAME.open, id, utf8(protocol));
    try {
      return await opening.promise;
    } finally {
      this.#fabric.scheduler.cancel(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  async close(): Promise<void> {
    if (this.state !== "up") return;
    this.#transmit(FRAME.fin, 0, NOTHING);
    this.down("This end closed the link");
  }

  onClose(listener: () => void): Unsubscribe {
    if (this.state === "down") {
      this.later(listener);
      return () => {};
    }
    return this.#closed.add(listener);
  }

  /** The handshake is over at this end: the link is there. */
  up(): void {
    if (this.state !== "pending") return;
    this.state = "up";
    this.upSinceMs = this.#fabric.scheduler.nowMs;
    this.network.linkUp(this);
  }

  /** Completes the handshake at the other end. */
  sayUp(): void {
    this.#transmit(FRAME.up, 0, NOTHING);
  }

  /** The link is over at this end, whether or not the other end knows. Listeners hear it in an event of its own. */
  down(reason: string): void {
    const wasUp = this.state === "up";
    this.state = "down";
    this.#fabric.wireEnded(this.wire);
    if (!wasUp) return;
    const error = new StarfishError("link-closed", reason, { retryable: true });
    for (const opening of this.#opening.values()) opening.reject(error);
    this.#opening.clear();
    for (const channel of this.#channels.values()) channel.close(error);
    this.network.linkDown(this);
    this.later(() => this.#closed.emit());
  }

  receive(frame: Frame): void {
    if (!this.network.alive || this.state === "down") return;
    const via = this.wire.via?.machine;
    if (via !== undefined && frame.kind === FRAME.message) {
      via.forwarded.messages++;
      via.forwarded.bytes += frame.payload.length;
    }
    if (frame.kind === FRAME.up) return this.#answer();
    const channel = this.#channels.get(frame.channel);
    switch (frame.kind) {
      case FRAME.message:
        return channel?.arrive(frame);
      case FRAME.end:
        return channel?.arrive("end");
      case FRAME.open:
        return this.#accept(frame.channel, text(frame.payload));
      case FRAME.accept:
        if (channel !== undefined) this.#opening.get(frame.channel)?.resolve(channel);
        this.#opening.delete(frame.channel);
        return;
      case FRAME.refuse:
        return this.#refused(frame.channel, channel);
      case FRAME.abort:
        return channel?.close(new StarfishError("link-closed", "The other end aborted the channel"));
      case FRAME.fin:
        return this.down("The other end closed the link");
    }
  }

  /** Calls back in an event of its own, unless this life is over by then. */
  later(call: () => void): void {
    this.network.later(call);
  }

  forget(channel: number): void {
    this.#channels.delete(channel);
  }

  countersOf(protocol: string): Counters {
    const { sentByProtocol } = this.out.from;
    let counters = sentByProtocol.get(protocol);
    if (counters === undefined) {
      counters = { messages: 0, bytes: 0 };
      sentByProtocol.set(protocol, counters);
    }
    return counters;
  }

  /** The dialler's handshake has arrived. */
  #answer(): void {
    if (!this.network.refuses(this.peer)) return this.up();
    this.#transmit(FRAME.fin, 0, NOTHING);
    this.down("Refused");
  }

  #accept(id: number, protocol: string): void {
    const accept = this.network.handlerOf(protocol);
    if (accept === undefined) return this.#transmit(FRAME.refuse, id, NOTHING);
    const channel = new SimChannel(this, id, protocol);
    this.#channels.set(id, channel);
    this.#transmit(FRAME.accept, id, NOTHING);
    accept(channel, this);
  }

  #refused(id: number, channel: SimChannel | undefined): void {
    const error = new StarfishError(
      "unknown-protocol",
      `The peer does not speak ${channel?.protocol ?? "this protocol"}`,
    );
    channel?.close(error);
    this.#opening.get(id)?.reject(error);
    this.#opening.delete(id);
  }

  #transmit(kind: FrameKind, channel: number, payload: Uint8Array): void {
    this.out.transmit(new Frame(this.out, kind, channel, payload, undefined));
  }
}
