/**
 * The port Network over Maelstrom's messages. A node's address is its name in Maelstrom. A link begins with a greeting
 * in which both ends tell their PeerId. Under Maelstrom every node can send to every other, so introducers only tell
 * the name; and PeerIds are believed, since no node there lies.
 */
import { StarfishError, throwIfAborted } from "../../core/base/errors.ts";
import { Listeners, type Unsubscribe } from "../../core/base/events.ts";
import { abortable, type Clock, withDeadline } from "../../core/ports/clock.ts";
import type { Address, Channel, DialTarget, Link, Network, PeerId } from "../../core/ports/network.ts";
import { MaelstromLink } from "./link.ts";
import { type Frame, type Packet, Wire } from "./wire.ts";

export interface MaelstromPorts {
  /** This node's name in Maelstrom. */
  readonly name: string;
  readonly clock: Clock;
  /** Sends to a node by name; may be late, or never arrive. */
  readonly send: (to: string, packet: Packet) => void;
}

export interface MaelstromOptions {
  readonly self: PeerId;
  /** Whether it has an address; without one it can only be reached through an introducer. */
  readonly isDialable?: boolean;
}

type Accept = (channel: Channel, link: Link) => void;

/** One end of a link, greeted or not yet. */
interface End {
  readonly id: string;
  readonly to: string;
  readonly wire: Wire;
  readonly inbound: boolean;
  /** The peer that the dialler expects. */
  readonly wanted: PeerId | undefined;
  readonly dialled: PromiseWithResolvers<Link> | undefined;
  link: MaelstromLink | undefined;
}

const PREFIX = "maelstrom:";
const DIAL_MS = 4_000;
/** A link that is silent for this long is broken, as by the consent check of WebRTC. */
const BROKEN_AFTER_MS = 30_000;
/** How long the last frames of a closed link are sent again. */
const LINGER_MS = 5_000;
/** How long a stranger may use an introducer. */
const NEWCOMER_MS = 10_000;

export class MaelstromNetwork implements Network {
  readonly self: PeerId;
  readonly #options: MaelstromOptions;
  readonly #ports: MaelstromPorts;
  readonly #ends = new Map<string, End>();
  readonly #links = new Map<PeerId, { readonly link: MaelstromLink; readonly name: string }>();
  readonly #handlers = new Map<string, Accept>();
  readonly #onLink = new Listeners<Link>();
  readonly #admitted = new Set<PeerId>();
  readonly #refusedUntilMs = new Map<PeerId, number>();
  readonly #questions = new Map<number, (name: string | null) => void>();
  #count = 0;
  #isClosed = false;

  constructor(options: MaelstromOptions, ports: MaelstromPorts) {
    this.self = options.self;
    this.#options = options;
    this.#ports = ports;
  }

  addresses(): readonly Address[] {
    return this.#options.isDialable === false ? [] : [PREFIX + this.#ports.name];
  }

  onAddresses(): Unsubscribe {
    return () => {};
  }

  links(): readonly Link[] {
    return [...this.#links.values()].map(({ link }) => link);
  }

  onLink(listener: (link: Link) => void): Unsubscribe {
    return this.#onLink.add(listener);
  }

  handle(protocol: string, accept: Accept): Unsubscribe {
    this.#handlers.set(protocol, accept);
    return () => {
      if (this.#handlers.get(protocol) === accept) this.#handlers.delete(protocol);
    };
  }

  admit(peer: PeerId): void {
    this.#admitted.add(peer);
    this.#refusedUntilMs.delete(peer);
  }

  expel(peer: PeerId, forMs: number): void {
    this.#admitted.delete(peer);
    this.#refusedUntilMs.set(peer, this.#ports.clock.monotonic() + forMs);
    void this.#links.get(peer)?.link.close();
  }

  async dial(target: DialTarget, options: { signal?: AbortSignal | undefined } = {}): Promise<Link> {
    const { signal } = options;
    throwIfAborted(signal);
    const present = target.peer === undefined ? undefined : this.#links.get(target.peer)?.link;
    if (present !== undefined) return present;
    if (target.peer === this.self) throw unreachable("A node does not dial itself");
    if (target.peer !== undefined && this.#refuses(target.peer)) throw unreachable("This peer is refused for now");
    const dial = this.#tryAll(target);
    return signal === undefined ? dial : abortable(signal, dial);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const { link } of [...this.#links.values()]) void link.close();
  }

  /** What another node has sent. */
  receive(from: string, packet: Packet): void {
    let end = this.#ends.get(packet.link);
    if (end === undefined) {
      if (packet.frame?.[0] === "hello" && packet.seq === 1 && !this.#isClosed) {
        end = this.#end(packet.link, from, true, undefined);
      } else if (packet.seq !== undefined) {
        // The link is gone here; the acknowledgement keeps the other end from sending the frame again.
        return this.#ports.send(from, { type: "link", link: packet.link, ack: packet.seq });
      }
    }
    if (end?.to === from) end.wire.receive(packet);
  }

  // Dialling

  async #tryAll(target: DialTarget): Promise<Link> {
    let failure = unreachable("No address of the peer leads anywhere, and nobody introduces us");
    const routes = [
      ...target.addresses.map((address) => async () => address.slice(PREFIX.length)),
      ...(target.introducers ?? []).map((introducer) => () => this.#whereIs(target.peer ?? "", introducer)),
    ];
    for (const route of routes) {
      try {
        const work = async (): Promise<Link> => this.#dialName(await route(), target.peer);
        return await withDeadline(this.#ports.clock, DIAL_MS, "The dial", work);
      } catch (error) {
        if (!(error instanceof StarfishError)) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  async #dialName(name: string, wanted: PeerId | undefined): Promise<Link> {
    for (const end of this.#ends.values()) {
      if (end.to === name && end.dialled !== undefined && end.link === undefined && end.wanted === wanted) {
        return end.dialled.promise;
      }
    }
    for (const { link, name: other } of this.#links.values()) {
      if (other === name && (wanted === undefined || wanted === link.peer)) return link;
    }
    const dialled = Promise.withResolvers<Link>();
    dialled.promise.catch(() => {});
    const end = this.#end(`${this.#ports.name}/${this.self.slice(-8)}/${++this.#count}`, name, false, wanted, dialled);
    end.wire.send(["hello", this.self, wanted ?? null]);
    const timer = this.#ports.clock.timer(DIAL_MS, () => {
      if (end.link === undefined) this.#failed(end, new StarfishError("timeout", "No answer", { retryable: true }));
    });
    return dialled.promise.finally(() => timer.cancel());
  }

  /** Asks an introducer for the name of a peer. */
  async #whereIs(peer: PeerId, introducer: PeerId): Promise<string> {
    const known = this.#links.get(introducer);
    if (known === undefined) throw unreachable("Not linked to the introducer");
    const question = ++this.#count;
    const end = [...this.#ends.values()].find(({ link }) => link === known.link);
    const answer = new Promise<string | null>((resolve) => this.#questions.set(question, resolve));
    end?.wire.send(["where", question, peer]);
    try {
      const name = await withDeadline(this.#ports.clock, DIAL_MS, "The introduction", () => answer);
      if (name === null) throw unreachable("The introducer has no link to the peer, or does not carry for us");
      return name;
    } finally {
      this.#questions.delete(question);
    }
  }

  // One end of a link

  #end(id: string, to: string, inbound: boolean, wanted: PeerId | undefined, dialled?: End["dialled"]): End {
    const wire = new Wire(id, {
      clock: this.#ports.clock,
      send: (packet) => this.#ports.send(to, packet),
      receive: (frame) => this.#frame(end, frame),
      broken: () => this.#broken(end),
      brokenAfterMs: BROKEN_AFTER_MS,
    });
    const end: End = { id, to, wire, inbound, wanted, dialled, link: undefined };
    this.#ends.set(id, end);
    return end;
  }

  #frame(end: End, frame: Frame): void {
    const [kind, first, second] = frame;
    switch (kind) {
      case "hello":
        return this.#greeted(end, String(first), second === null ? undefined : String(second));
      case "welcome":
        return this.#up(end, String(first));
      case "refused":
        return this.#failed(end, unreachable(String(first)));
      case "where":
        return this.#introduce(end, Number(first), String(second));
      case "there":
        return this.#questions.get(Number(first))?.(second === null ? null : String(second));
      default:
        end.link?.receive(frame);
    }
  }

  #greeted(end: End, peer: PeerId, wanted: PeerId | undefined): void {
    const own = [...this.#ends.values()].find(
      (other) => other.to === end.to && other.dialled !== undefined && other.link === undefined,
    );
    const refusal = this.#whyRefused(peer, wanted);
    if (refusal !== undefined) {
      end.wire.send(["refused", refusal]);
      return this.#forgetLater(end);
    }
    // Both have dialled at once: the link of the smaller one counts, also when the other's greeting comes late.
    const linked = this.#links.get(peer)?.link;
    const isNew = linked?.inbound === false && this.#ports.clock.monotonic() - linked.upSinceMs < DIAL_MS;
    if (this.self < peer && (own !== undefined || isNew)) return this.#forgetLater(end);
    end.wire.send(["welcome", this.self]);
    this.#up(end, peer);
    if (own === undefined || end.link === undefined) return;
    own.dialled?.resolve(end.link);
    this.#drop(own);
  }

  #whyRefused(peer: PeerId, wanted: PeerId | undefined): string | undefined {
    if (wanted !== undefined && wanted !== this.self) return "Another node answers at this address";
    if (peer === this.self) return "A node does not dial itself";
    return this.#refuses(peer) ? "The peer refuses us for now" : undefined;
  }

  #up(end: End, peer: PeerId): void {
    if (end.link !== undefined || !this.#ends.has(end.id)) return;
    const { clock } = this.#ports;
    const former = this.#links.get(peer)?.link;
    const link = new MaelstromLink(peer, end.inbound, {
      clock,
      wire: end.wire,
      handler: (protocol) => this.#handlers.get(protocol),
      down: () => this.#down(end, link),
      later: (call) => void clock.timer(0, call),
    });
    end.link = link;
    this.#links.set(peer, { link, name: end.to });
    // The peer has come back before we saw it go.
    former?.down("The peer has connected anew");
    this.#onLink.emit(link);
    end.dialled?.resolve(link);
  }

  #down(end: End, link: MaelstromLink): void {
    if (this.#links.get(link.peer)?.link === link) this.#links.delete(link.peer);
    this.#forgetLater(end);
  }

  #broken(end: End): void {
    end.link?.down("The connection broke");
    this.#failed(end, new StarfishError("timeout", "No answer", { retryable: true }));
  }

  #failed(end: End, error: StarfishError): void {
    end.dialled?.reject(error);
    this.#drop(end);
  }

  /** Forgets the link's end when its last frames have had time to arrive. */
  #forgetLater(end: End): void {
    this.#ports.clock.timer(LINGER_MS, () => this.#drop(end));
  }

  #drop(end: End): void {
    end.wire.close();
    if (this.#ends.get(end.id) === end) this.#ends.delete(end.id);
  }

  // Introductions

  #introduce(end: End, question: number, peer: PeerId): void {
    const { link } = end;
    const other = this.#links.get(peer);
    const carries = link !== undefined && other !== undefined && this.#carries(link) && this.#carries(other.link);
    end.wire.send(["there", question, carries ? other.name : null]);
  }

  #carries({ peer, upSinceMs }: MaelstromLink): boolean {
    return this.#admitted.has(peer) || this.#ports.clock.monotonic() - upSinceMs < NEWCOMER_MS;
  }

  #refuses(peer: PeerId): boolean {
    return (this.#refusedUntilMs.get(peer) ?? -Infinity) > this.#ports.clock.monotonic();
  }
}

function unreachable(message: string): StarfishError {
  return new StarfishError("unreachable", message, { retryable: true });
}
