/** The port Network on the simulated fabric: one adapter per life of a machine. */
import { abortable } from "../../core/ports/clock.ts";
import { throwIfAborted } from "../../core/base/errors.ts";
import { Listeners, type Unsubscribe } from "../../core/base/events.ts";
import type { Address, Channel, DialTarget, Link, Network, PeerId } from "../../core/ports/network.ts";
import { dialRoutes } from "./dial.ts";
import type { Fabric } from "./fabric.ts";
import type { Life, Machine } from "./life.ts";
import type { SimLink } from "./link.ts";

type Accept = (channel: Channel, link: Link) => void;

/** How long a stranger may use an introducer: enough to join. */
const NEWCOMER_MS = 10_000;

export class SimNetwork implements Network {
  readonly self: PeerId;
  readonly machine: Machine;
  readonly #fabric: Fabric;
  readonly #life: Life;
  readonly #links = new Map<PeerId, SimLink>();
  readonly #handlers = new Map<string, Accept>();
  readonly #onLink = new Listeners<Link>();
  readonly #admitted = new Set<PeerId>();
  readonly #refusedUntilMs = new Map<PeerId, number>();
  readonly #dials = new Map<string, Promise<Link>>();
  #closed = false;

  constructor(fabric: Fabric, machine: Machine, life: Life, self: PeerId) {
    this.#fabric = fabric;
    this.machine = machine;
    this.#life = life;
    this.self = self;
    fabric.networks.set(machine, this);
    for (const address of this.addresses()) fabric.setAddress(address, machine);
  }

  get alive(): boolean {
    return this.#life.alive && !this.#closed;
  }

  addresses(): readonly Address[] {
    return this.machine.kind === "node" ? [`sim:${this.machine.name}`] : [];
  }

  onAddresses(): Unsubscribe {
    return () => {};
  }

  async dial(target: DialTarget, options: { signal?: AbortSignal | undefined } = {}): Promise<Link> {
    const { signal } = options;
    throwIfAborted(signal);
    const present = target.peer === undefined ? undefined : this.#links.get(target.peer);
    if (present !== undefined) return present;
    const key = JSON.stringify([target.peer ?? null, target.addresses, target.introducers ?? []]);
    let dial = this.#dials.get(key);
    if (dial === undefined) {
      dial = dialRoutes(this.#fabric, this, target).finally(() => this.#dials.delete(key));
      // All callers may have given up by the time the dial fails.
      dial.catch(() => {});
      this.#dials.set(key, dial);
    }
    return signal === undefined ? dial : abortable(signal, dial);
  }

  links(): readonly Link[] {
    return [...this.#links.values()];
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
    this.#refusedUntilMs.set(peer, this.#fabric.scheduler.nowMs + forMs);
    void this.#links.get(peer)?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const link of this.#links.values()) void link.close();
    this.#closed = true;
    if (this.#fabric.networks.get(this.machine) === this) this.#fabric.networks.delete(this.machine);
  }

  linkTo(peer: PeerId): SimLink | undefined {
    return this.#links.get(peer);
  }

  refuses(peer: PeerId): boolean {
    const untilMs = this.#refusedUntilMs.get(peer);
    if (untilMs === undefined) return false;
    if (untilMs > this.#fabric.scheduler.nowMs) return true;
    this.#refusedUntilMs.delete(peer);
    return false;
  }

  /** Whether this node introduces and relays for the peer: it is linked, and admitted or new. */
  carries(peer: PeerId): boolean {
    const link = this.#links.get(peer);
    if (link === undefined) return false;
    return this.#admitted.has(peer) || this.#fabric.scheduler.nowMs - link.upSinceMs < NEWCOMER_MS;
  }

  handlerOf(protocol: string): Accept | undefined {
    return this.#handlers.get(protocol);
  }

  linkUp(link: SimLink): void {
    const former = this.#links.get(link.peer);
    this.#links.set(link.peer, link);
    // The peer has come back before we saw it go.
    former?.down("The peer has connected anew");
    this.#onLink.emit(link);
  }

  linkDown(link: SimLink): void {
    if (this.#links.get(link.peer) !== link) return;
    this.#links.delete(link.peer);
    this.#fabric.relayLostLink(this, link.peer);
  }

  later(call: () => void): void {
    this.#fabric.scheduler.after(0, this.machine.name, () => {
      if (this.#life.alive) call();
    });
  }
}
