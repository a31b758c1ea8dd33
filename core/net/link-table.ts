/**
 * The links of this node and who is behind them: implements `Links`. Every link of the network starts as a stranger's;
 * one handshake later (admission.ts) it is a member's, or it is told why not and goes. There is one entry a peer: a new
 * link of a peer that came back takes the place of its stale one.
 *
 * Promises: nothing but the hello passes before admission; channels that come early wait, bounded; members are held to
 * rates and sizes, and to certificates that have not run out; every bound is in limits.ts.
 */
import { isStarfishError, messageOf, StarfishError, toStarfishError } from "../base/errors.ts";
import { Listeners, type Unsubscribe } from "../base/events.ts";
import { abortable, every, type Clock, type Timer } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import type { Log } from "../ports/log.ts";
import type { Channel, DialTarget, Link, Network, PeerId } from "../ports/network.ts";
import { greet, HELLO_PROTOCOL, host, isPunished, type Outcome, type Pass } from "./admission.ts";
import type { Standing } from "./certificate.ts";
import { Conduct } from "./conduct.ts";
import {
  CLOCK_TOLERANCE_MS,
  EXPIRY_SWEEP_MS,
  FAREWELL_MS,
  HELLO_PATIENCE_MS,
  MISBEHAVED_MS,
  PART_MESSAGE_BYTES_MAX,
  REFUSED_MS,
  STRANGER_DEADLINE_MS,
  STRANGER_HELLOS_MAX,
  STRANGERS_MAX,
  WAITING_CHANNELS_MAX,
} from "./limits.ts";
import type { AdmittedLink, LinkPart, Links } from "./links.ts";
import { MemberLink, PART_PROTOCOLS } from "./member-link.ts";
import type { Traffic } from "./meter.ts";

export interface LinkTablePorts {
  readonly network: Network;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
}

export interface LinkTable extends Links {
  /** Accepts channels of a protocol from members. Strangers' are held until their hello is through, or refused. */
  accept(protocol: string, receive: (channel: Channel, link: AdmittedLink) => void): Unsubscribe;
  onTraffic(listener: (event: Traffic) => void): Unsubscribe;
  /** A handshake has failed: `by` says which side found fault with the other. */
  onRefused(listener: (refusal: Refusal) => void): Unsubscribe;
  /** Closes every link in peace. */
  close(): Promise<void>;
}

export interface Refusal {
  readonly peer: PeerId;
  readonly by: "us" | "them";
  readonly error: StarfishError;
}

/** A link from its first moment to its last. */
interface Entry {
  readonly link: Link;
  readonly deadline: Timer;
  /** Ends the handshakes that are under way. */
  readonly ended: AbortController;
  readonly settled: PromiseWithResolvers<AdmittedLink>;
  member: MemberLink | undefined;
  isOver: boolean;
  hasGreeted: boolean;
  hellos: number;
  waiting: { readonly channel: Channel; readonly receive: (channel: Channel, link: MemberLink) => void }[];
}

export function createLinkTable(pass: () => Pass): (ports: LinkTablePorts) => LinkTable {
  return (ports) => new Table(pass, ports);
}

class Table implements LinkTable {
  readonly #pass: () => Pass;
  readonly #ports: LinkTablePorts;
  readonly #conduct: Conduct;
  readonly #byPeer = new Map<PeerId, Entry>();
  readonly #byLink = new WeakMap<Link, Entry>();
  readonly #receivers = new Map<LinkPart, (link: AdmittedLink, message: Uint8Array) => void>();
  readonly #up = new Listeners<AdmittedLink>();
  readonly #down = new Listeners<AdmittedLink>();
  readonly #traffic = new Listeners<Traffic>();
  readonly #refused = new Listeners<Refusal>();
  readonly #subscriptions: Unsubscribe[];
  readonly #sweep: Timer;

  constructor(pass: () => Pass, ports: LinkTablePorts) {
    this.#pass = pass;
    this.#ports = ports;
    this.#conduct = new Conduct(ports.clock);
    const { network, clock } = ports;
    this.#subscriptions = [
      network.onLink((link) => void this.#track(link)),
      network.handle(HELLO_PROTOCOL, (channel, link) => this.#onHello(channel, link)),
      ...(["members", "overlay", "gossip"] as const).map((part) =>
        network.handle(PART_PROTOCOLS[part], (channel, link) =>
          this.#gate(channel, link, (open, member) => this.#onPart(part, open, member)),
        ),
      ),
    ];
    this.#sweep = every(clock, EXPIRY_SWEEP_MS, () => this.#expire());
    for (const link of network.links()) this.#track(link);
  }

  all(): readonly AdmittedLink[] {
    const members: AdmittedLink[] = [];
    for (const { member } of this.#byPeer.values()) if (member !== undefined) members.push(member);
    return members;
  }

  get(peer: PeerId): AdmittedLink | undefined {
    return this.#byPeer.get(peer)?.member;
  }

  onUp(listener: (link: AdmittedLink) => void): Unsubscribe {
    return this.#up.add(listener);
  }

  onDown(listener: (link: AdmittedLink) => void): Unsubscribe {
    return this.#down.add(listener);
  }

  onTraffic(listener: (event: Traffic) => void): Unsubscribe {
    return this.#traffic.add(listener);
  }

  onRefused(listener: (refusal: Refusal) => void): Unsubscribe {
    return this.#refused.add(listener);
  }

  receive(part: LinkPart, receiver: (link: AdmittedLink, message: Uint8Array) => void): void {
    this.#receivers.set(part, receiver);
  }

  accept(protocol: string, receive: (channel: Channel, link: AdmittedLink) => void): Unsubscribe {
    return this.#ports.network.handle(protocol, (channel, link) =>
      this.#gate(channel, link, (open, member) => receive(member.metered(open), member)),
    );
  }

  async dial(target: DialTarget, { signal }: { signal: AbortSignal }): Promise<AdmittedLink> {
    const known = target.peer === undefined ? undefined : this.get(target.peer);
    if (known !== undefined) return known;
    const link = await this.#ports.network.dial(target, { signal });
    if (link.peer === this.#ports.network.self) {
      await link.close();
      throw new StarfishError("unreachable", "The address is this node's own");
    }
    return abortable(signal, this.#track(link).settled.promise);
  }

  misbehaved(peer: PeerId, what: string): void {
    this.#ports.log.write("warn", "net.misbehaved", { peer, what });
    if (!this.#conduct.fault(peer)) return;
    const entry = this.#byPeer.get(peer);
    this.#ports.network.expel(peer, MISBEHAVED_MS);
    if (entry) this.#end(entry, new StarfishError("not-a-member", `Too many faults, the last: ${what}`));
  }

  async close(): Promise<void> {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    this.#sweep.cancel();
    const entries = [...this.#byPeer.values()];
    await Promise.all(entries.map(({ member, link }) => (member ?? link).close()));
    for (const entry of entries) this.#end(entry, new StarfishError("closed", "This node has left"));
  }

  // From stranger to member

  #track(link: Link): Entry {
    const known = this.#byLink.get(link);
    if (known !== undefined) return known;
    const before = this.#byPeer.get(link.peer);
    if (before !== undefined) this.#drop(before, new StarfishError("link-closed", "The peer has connected anew"));
    const entry: Entry = {
      link,
      deadline: this.#ports.clock.timer(STRANGER_DEADLINE_MS, () => this.#onDeadline(entry)),
      ended: new AbortController(),
      settled: Promise.withResolvers<AdmittedLink>(),
      member: undefined,
      isOver: false,
      hasGreeted: false,
      hellos: 0,
      waiting: [],
    };
    // Nobody has to be waiting for it.
    entry.settled.promise.catch(() => {});
    this.#byLink.set(link, entry);
    this.#byPeer.set(link.peer, entry);
    link.onClose(() => this.#end(entry, new StarfishError("link-closed", "The link has closed", { retryable: true })));
    if (link.inbound && this.#strangers() > STRANGERS_MAX) {
      this.#drop(entry, new StarfishError("busy", "Too many strangers at once", { retryable: true }));
    } else if (link.inbound) {
      this.#ports.clock.timer(HELLO_PATIENCE_MS, () => this.#greetIfSilent(entry));
    } else {
      this.#greet(entry);
    }
    return entry;
  }

  #strangers(): number {
    let count = 0;
    for (const { member, link } of this.#byPeer.values()) if (member === undefined && link.inbound) count++;
    return count;
  }

  #greetIfSilent(entry: Entry): void {
    if (entry.hellos === 0 && entry.member === undefined && !entry.isOver) this.#greet(entry);
  }

  #greet(entry: Entry): void {
    if (entry.hasGreeted) return;
    entry.hasGreeted = true;
    const { signal } = entry.ended;
    const hello = async (): Promise<Outcome> => {
      const channel = await entry.link.open(HELLO_PROTOCOL, { signal });
      return greet(channel, entry.link.peer, this.#pass(), this.#ports, signal);
    };
    hello().then(
      (outcome) => this.#concluded(entry, outcome),
      (error: unknown) => this.#failed(entry, greetingError(error)),
    );
  }

  #onHello(channel: Channel, link: Link): void {
    const entry = this.#track(link);
    if (entry.isOver || (entry.member === undefined && entry.hellos >= STRANGER_HELLOS_MAX)) {
      return channel.abort(new StarfishError("busy", "Too many hellos"));
    }
    if (entry.member !== undefined && !entry.member.allows(0)) return channel.abort(flooding());
    entry.hellos++;
    host(channel, link.peer, this.#pass(), this.#ports, entry.ended.signal).then(
      (outcome) => this.#concluded(entry, outcome),
      (error: unknown) => {
        // A hello that breaks off proves nothing; the deadline takes care of it, unless it was an attack.
        if (isStarfishError(error, "too-large")) this.#concluded(entry, { kind: "refused", by: "us", error });
      },
    );
  }

  #concluded(entry: Entry, outcome: Outcome): void {
    if (entry.isOver) return;
    if (outcome.kind === "member") return this.#admit(entry, outcome.standing);
    const { by, error } = outcome;
    const { peer } = entry.link;
    this.#ports.log.write("info", "net.refused", { peer, by, code: error.code, message: error.message });
    this.#end(entry, error);
    this.#refused.emit({ peer, by, error });
    if (by === "them") return this.#closeLink(entry.link);
    // The word of refusal has to get there first; the refused one closes when it has read it.
    const punish = (): void => {
      if (isPunished(error)) this.#ports.network.expel(peer, REFUSED_MS);
      else this.#closeLink(entry.link);
    };
    const farewell = this.#ports.clock.timer(FAREWELL_MS, punish);
    entry.link.onClose(() => {
      farewell.cancel();
      punish();
    });
  }

  #failed(entry: Entry, error: StarfishError): void {
    if (entry.isOver || entry.member !== undefined) return;
    this.#refused.emit({ peer: entry.link.peer, by: "us", error });
    this.#drop(entry, error);
  }

  #onDeadline(entry: Entry): void {
    const message = `No proof of membership within ${STRANGER_DEADLINE_MS / 1_000} s`;
    this.#failed(entry, new StarfishError("timeout", message, { retryable: true }));
  }

  #admit(entry: Entry, standing: Standing): void {
    const { link } = entry;
    if (entry.member !== undefined) {
      // The peer said hello again: it has started anew behind the same link, or renewed its certificate.
      entry.member.standing = standing;
      return;
    }
    const { log, network, clock } = this.#ports;
    entry.deadline.cancel();
    const member = new MemberLink({
      link,
      standing,
      clock,
      onTraffic: (event) => this.#traffic.emit(event),
      onFault: (what) => this.misbehaved(link.peer, what),
    });
    entry.member = member;
    network.admit(link.peer);
    log.write("debug", "net.link.up", { peer: link.peer, role: standing.role, inbound: link.inbound });
    this.#up.emit(member);
    entry.settled.resolve(member);
    const waiting = entry.waiting;
    entry.waiting = [];
    for (const { channel, receive } of waiting) receive(channel, member);
  }

  // What members send

  #gate(channel: Channel, link: Link, receive: (channel: Channel, member: MemberLink) => void): void {
    const entry = this.#track(link);
    if (entry.isOver) return channel.abort(notAMember());
    if (entry.member === undefined) {
      if (entry.waiting.length >= WAITING_CHANNELS_MAX) return channel.abort(notAMember());
      entry.waiting.push({ channel, receive });
      return;
    }
    if (!entry.member.allows(0)) return channel.abort(flooding());
    receive(channel, entry.member);
  }

  #onPart(part: LinkPart, channel: Channel, member: MemberLink): void {
    member.adopt(part, channel);
    channel.onMessage((message) => {
      if (this.get(member.peer) !== member) return;
      this.#traffic.emit({ peer: member.peer, direction: "in", bytes: message.length });
      if (message.length > PART_MESSAGE_BYTES_MAX) return this.misbehaved(member.peer, `oversized message (${part})`);
      if (member.allows(message.length)) this.#deliver(part, member, message);
    });
  }

  #deliver(part: LinkPart, member: MemberLink, message: Uint8Array): void {
    try {
      this.#receivers.get(part)?.(member, message);
    } catch (error) {
      if (isStarfishError(error, "malformed") || isStarfishError(error, "too-large")) {
        this.misbehaved(member.peer, `${error.message} (${part})`);
      } else {
        // Ours, not the peer's: it must not take the link, or the node, with it.
        this.#ports.log.write("error", "net.receiver", { part, peer: member.peer, error: messageOf(error) });
      }
    }
  }

  // Ends

  #expire(): void {
    const nowMs = this.#ports.clock.now();
    for (const entry of [...this.#byPeer.values()]) {
      const { member, link } = entry;
      if (member === undefined || nowMs <= member.standing.notAfterMs + CLOCK_TOLERANCE_MS) continue;
      this.#ports.log.write("info", "net.expired", { peer: link.peer });
      this.#ports.network.expel(link.peer, REFUSED_MS);
      this.#end(entry, new StarfishError("bad-certificate", "The peer's certificate has expired"));
    }
  }

  /** Ends the entry and closes its link. */
  #drop(entry: Entry, error: StarfishError): void {
    this.#end(entry, error);
    this.#closeLink(entry.link);
  }

  #end(entry: Entry, error: StarfishError): void {
    if (entry.isOver) return;
    entry.isOver = true;
    entry.deadline.cancel();
    const { link, member } = entry;
    if (this.#byPeer.get(link.peer) === entry) this.#byPeer.delete(link.peer);
    entry.ended.abort(error);
    for (const { channel } of entry.waiting) channel.abort(notAMember());
    entry.waiting = [];
    entry.settled.reject(error);
    if (member === undefined) return;
    member.dispose();
    this.#ports.log.write("debug", "net.link.down", { peer: link.peer, why: error.message });
    this.#down.emit(member);
  }

  #closeLink(link: Link): void {
    void link.close();
  }
}

function notAMember(): StarfishError {
  return new StarfishError("not-a-member", "Only members get this. Show a certificate first");
}

function flooding(): StarfishError {
  return new StarfishError("busy", "Too many messages at once");
}

/** A peer that doesn't know our hello is of another version, or no Starfish node at all. */
function greetingError(error: unknown): StarfishError {
  if (!isStarfishError(error, "unknown-protocol")) return toStarfishError(error, "link-closed");
  return new StarfishError("version-mismatch", `The other side does not speak ${HELLO_PROTOCOL}: another version?`, {
    cause: error,
  });
}
