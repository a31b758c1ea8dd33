/**
 * The links of this node, and who is at their other ends: implements `Links`. Every link of the network starts as a
 * stranger's. After one handshake (admission.ts) it is a member's, or its peer is told why not and it is closed. There
 * is one entry for each peer: the new link of a peer that came back replaces its stale one.
 *
 * Promises: nothing but the hello passes before admission; channels that come early wait, bounded; members are held to
 * rates and sizes, and to certificates that have not run out; every bound is in limits.ts.
 */
import { equal } from "../../base/bytes.ts";
import { isStarfishError, messageOf, StarfishError } from "../../base/errors.ts";
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import { abortable, every, type Timer } from "../../ports/clock.ts";
import type { Channel, DialTarget, Link, PeerId } from "../../ports/network.ts";
import { HELLO_PROTOCOL, LIFE_BYTES, type Pass } from "./admission.ts";
import { earliestOf, type Standing } from "../identity/certificate.ts";
import { PeerScore } from "./peer-score.ts";
import {
  CLOCK_TOLERANCE_MS,
  EXPIRY_SWEEP_MS,
  MISBEHAVED_MS,
  PART_MESSAGE_BYTES_MAX,
  REFUSED_MS,
  STRANGERS_MAX,
  WAITING_CHANNELS_MAX,
} from "../limits.ts";
import type { AdmittedLink, LinkPart, Links } from "./links.ts";
import { Lobby, type Entry, type LobbyPorts, type Refusal } from "./lobby.ts";
import { MemberLink, PART_PROTOCOLS } from "./member-link.ts";
import type { Traffic } from "./meter.ts";

export interface LinkTable extends Links {
  /** Accepts channels of a protocol from members. Strangers' are held until their hello is through, or refused. */
  accept(protocol: string, receive: (channel: Channel, link: AdmittedLink) => void): Unsubscribe;
  onTraffic(listener: (event: Traffic) => void): Unsubscribe;
  /** A handshake has failed, and why. */
  onRefused(listener: (refusal: Refusal) => void): Unsubscribe;
  /** Closes every link in peace. */
  close(): Promise<void>;
}

/** `pass` is what this node shows of itself now. */
export function createLinkTable(pass: () => Omit<Pass, "life">): (ports: LobbyPorts) => LinkTable {
  return (ports) => new Table(pass, ports);
}

class Table implements LinkTable {
  readonly #ports: LobbyPorts;
  readonly #lobby: Lobby;
  readonly #conduct: PeerScore;
  readonly #byPeer = new Map<PeerId, Entry>();
  readonly #byLink = new WeakMap<Link, Entry>();
  readonly #receivers = new Map<LinkPart, (link: AdmittedLink, message: Uint8Array) => void>();
  readonly #up = new Listeners<AdmittedLink>();
  readonly #down = new Listeners<AdmittedLink>();
  readonly #traffic = new Listeners<Traffic>();
  readonly #refused = new Listeners<Refusal>();
  readonly #subscriptions: Unsubscribe[];
  readonly #sweep: Timer;

  constructor(pass: () => Omit<Pass, "life">, ports: LobbyPorts) {
    this.#ports = ports;
    const life = ports.random.bytes(LIFE_BYTES);
    this.#lobby = new Lobby(
      {
        pass: () => ({ ...pass(), life }),
        onMember: (entry, standing, life) => this.#admit(entry, standing, life),
        onRefused: (refusal) => this.#refused.emit(refusal),
        onEnd: (entry, error) => this.#end(entry, error),
      },
      ports,
    );
    this.#conduct = new PeerScore(ports.clock);
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
    const entry = this.#track(link);
    this.#lobby.dialled(entry);
    return abortable(signal, entry.settled.promise);
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
    const entries = Array.from(this.#byPeer.values());
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
      ended: new AbortController(),
      settled: Promise.withResolvers<AdmittedLink>(),
      deadline: undefined,
      waiting: [],
      hasGreeted: false,
      hellos: 0,
      member: undefined,
      isOver: false,
    };
    // Perhaps nobody waits for it.
    entry.settled.promise.catch(() => {});
    this.#byLink.set(link, entry);
    this.#byPeer.set(link.peer, entry);
    link.onClose(() => this.#end(entry, new StarfishError("link-closed", "The link has closed", { retryable: true })));
    if (link.inbound) this.#boundStrangers();
    this.#lobby.enter(entry);
    return entry;
  }

  /** Closes the oldest. A node that belongs here is admitted within a moment, so it is hardly ever the oldest. */
  #boundStrangers(): void {
    const strangers: Entry[] = [];
    for (const entry of this.#byPeer.values())
      if (entry.member === undefined && entry.link.inbound) strangers.push(entry);
    const [oldest] = strangers;
    if (oldest === undefined || strangers.length <= STRANGERS_MAX) return;
    this.#drop(oldest, new StarfishError("busy", "Too many strangers at once", { retryable: true }));
  }

  #onHello(channel: Channel, link: Link): void {
    const entry = this.#track(link);
    if (entry.member !== undefined && !entry.member.allows(0)) return channel.abort(flooding());
    this.#lobby.hello(entry, channel);
  }

  #admit(entry: Entry, standing: Standing, life: Uint8Array): void {
    const { link } = entry;
    if (entry.member !== undefined) {
      if (equal(entry.member.life, life)) {
        // Both ends had dialled, or it has renewed its certificate.
        entry.member.standing = standing;
        return;
      }
      // Channels of this link belong to the peer's former life, and messages on them would be lost. So the link is
      // closed, and a new one begins.
      return this.#drop(entry, new StarfishError("link-closed", "The peer has started anew", { retryable: true }));
    }
    const { log, network, clock } = this.#ports;
    entry.deadline?.cancel();
    const member = new MemberLink({
      link,
      standing,
      life,
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
        // A bug of ours, not the peer's fault: it must not end the link, or the node.
        this.#ports.log.write("error", "net.receiver", { part, peer: member.peer, error: messageOf(error) });
      }
    }
  }

  // Ends

  #expire(): void {
    const nowMs = earliestOf(this.#ports.clock.when());
    // A copy, since ending takes entries out.
    for (const entry of Array.from(this.#byPeer.values())) {
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
    void entry.link.close();
  }

  #end(entry: Entry, error: StarfishError): void {
    if (entry.isOver) return;
    entry.isOver = true;
    entry.deadline?.cancel();
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
}

function notAMember(): StarfishError {
  return new StarfishError("not-a-member", "Only members get this. Show a certificate first");
}

function flooding(): StarfishError {
  return new StarfishError("busy", "Too many messages at once");
}
