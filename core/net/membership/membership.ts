/**
 * Membership: every node knows the signed record of each member, and the nodes that are linked to a member notice its
 * death.
 *
 * Promises, while links lead from everyone to everyone: a node that dies is known to be gone everywhere within 6 s if
 * its links close, and within 10 s if they just go silent (later where answers take longer than a third of a second); a
 * node that says goodbye is gone at once; a node that is wrongly suspected has the three seconds of SUSPICION_MS_MAX to
 * refute it. After SWIM (Das, Gupta and Motivala, DSN 2002) with Lifeguard's refinements, except that nodes watch those
 * they are linked to anyway, and tell the news along a broadcast tree.
 *
 * Assumes that `overlay/overlay.ts` keeps the links a connected graph, tells of members nobody seems to watch
 * (`doubt`), and announces which links are closed in peace (`expectDown`).
 */
import { Listeners, type Unsubscribe } from "../../base/events.ts";
import { equal } from "../../base/bytes.ts";
import { isStarfishError } from "../../base/errors.ts";
import { decode } from "../../base/codec.ts";
import { every } from "../../ports/clock.ts";
import type { Crypto } from "../../ports/crypto.ts";
import type { Log } from "../../ports/log.ts";
import type { Random } from "../../ports/random.ts";
import type { Address, PeerId } from "../../ports/network.ts";
import { earliestOf } from "../identity/certificate.ts";
import { GossipTree, type Verdict } from "../gossip/tree.ts";
import { GIVE_WAY_MS } from "../limits.ts";
import type { AdmittedLink, Links } from "../links/links.ts";
import { checkRecord, LIFE_BYTES, readRecord, type UncheckedRecord } from "./record.ts";
import { RecordPace } from "./crisis.ts";
import { Post } from "./post.ts";
import { type Row, type ShortId, shortIdOf } from "./rows.ts";
import { SelfRecord, type SelfOptions } from "./self.ts";
import { Suspicions } from "./suspicion.ts";
import { Reconciler } from "./sync.ts";
import { type Entry, isAwake, MemberTable, rowOf } from "./table.ts";
import { twinOf } from "./twin.ts";
import { CREDIT_MS_MAX, LinkWatch, LocalHealth, TICK_MS } from "./watch.ts";
import { decodeBody, encodeRecordBody, frameSchema, type MemberFrame } from "./wire.ts";
import type { SwarmClock } from "../time/swarm-clock.ts";
import type { CommonTime } from "../time/time.ts";
import type { TimeTold } from "../time/neighbours.ts";
import type { Member, MemberChange, SelfPatch, SwarmId, Twin } from "../types.ts";

export interface MembershipOptions extends SelfOptions {
  readonly swarm: SwarmId;
}

export interface MembershipPorts {
  readonly links: Links;
  readonly clock: SwarmClock;
  readonly crypto: Crypto;
  readonly log: Log;
  /** Is told the time by neighbours, along with their pings. */
  readonly time: CommonTime;
  readonly random: Random;
  /** Another node runs under this one's identity. If this one gives way, it has fallen silent already. */
  readonly onTwin: (twin: Twin) => void;
}

export interface Membership {
  /** Everyone known, this node too; the gone ones for a day. */
  members(): readonly Member[];
  /** Those awake or suspect, this node too. Cheap. */
  awake(): readonly Member[];
  member(peer: PeerId): Member | undefined;
  /** Members by the short ids that name them on the wire, and back. */
  byId(id: ShortId): Member | undefined;
  idOf(peer: PeerId): ShortId;
  /** Those gone, with how long ago, ms. */
  gone(): readonly { readonly member: Member; readonly agoMs: number }[];
  onMember(listener: (change: MemberChange) => void): Unsubscribe;
  /** Changes this node's record; the news spreads within a second, changes of load alone more slowly. */
  update(patch: SelfPatch & { readonly addresses?: readonly Address[] }): void;
  /** Smoothed round trip of the link to a peer, ms. */
  roundTripMs(peer: PeerId): number | undefined;
  /** For how long nothing has come over the link to a peer, ms; Infinity without a link. */
  quietMs(peer: PeerId): number;
  /** A sign of life came over the link to this peer. */
  heard(peer: PeerId): void;
  /** Links over which nothing comes any more, and those over which something does again. */
  onSilence(listener: (change: SilenceChange) => void): Unsubscribe;
  /** The link to this peer is about to be closed in peace: no reason for suspicion. */
  expectDown(peer: PeerId): void;
  /** Nobody seems to watch these members: they are suspected unless they speak up. */
  doubt(peers: readonly PeerId[]): void;
  /** This node's own record and others', as they travel. */
  recordOf(peer: PeerId): Uint8Array | undefined;
  /** A member has told a record outside of this protocol. Throws "malformed". */
  told(from: PeerId, record: Uint8Array): void;
  /** Says goodbye to all, at once. */
  leave(): void;
  stop(): void;
}

interface SilenceChange {
  readonly peer: PeerId;
  readonly isSilent: boolean;
}

export function createMembership(options: MembershipOptions): (ports: MembershipPorts) => Membership {
  return (ports) => new Members(options, ports);
}

/** How often old entries are removed from the table. */
const SWEEP_MS = 30_000;
/**
 * If there is hardly any room for members, this many of the last reported ones are doubted with each tick, and have to
 * answer.
 */
const DOUBTS_A_TICK = 32;
/** If a peer is silent on this link but heard elsewhere, the link is given up after this much more time. */
const BROKEN_MS = 5_000;
/** A link over which nothing has ever arrived is given up after this time, and its peer is not suspected for it. */
const UNPROVEN_MS = 15_000;

class Members implements Membership {
  readonly #swarm: SwarmId;
  readonly #ports: MembershipPorts;
  readonly #peer: PeerId;
  readonly #id: ShortId;
  readonly #self: SelfRecord;
  readonly #table: MemberTable;
  readonly #tree: GossipTree;
  readonly #post: Post;
  readonly #suspicions: Suspicions;
  readonly #sync: Reconciler;
  readonly #watches = new Map<PeerId, LinkWatch>();
  readonly #expected = new Set<PeerId>();
  /** Peers whose link has closed without a word since the last tick. Some come back at once, over a new link. */
  readonly #vanished = new Set<PeerId>();
  readonly #listeners = new Listeners<MemberChange>();
  readonly #silences = new Listeners<SilenceChange>();
  readonly #health = new LocalHealth();
  readonly #pace = new RecordPace();
  readonly #stops: Unsubscribe[];
  /** Milliseconds for which this node has been running, without the gaps in which it was not. */
  #activeMs = 0;
  #tickedMs: number;
  #sweptMs = 0;
  #hasStopped = false;
  #isGivingWay = false;

  constructor(options: MembershipOptions, ports: MembershipPorts) {
    const { links, clock, crypto, time } = ports;
    this.#swarm = options.swarm;
    this.#ports = ports;
    this.#peer = options.record.peer;
    this.#id = shortIdOf(crypto, this.#peer);
    this.#table = new MemberTable(
      this.#peer,
      (peer) => shortIdOf(crypto, peer),
      (change) => this.#changed(change),
    );
    this.#tree = new GossipTree({ self: this.#peer, sha256: (bytes) => crypto.sha256(bytes) });
    this.#post = new Post({ links, clock, tree: this.#tree, table: this.#table, time });
    this.#sync = new Reconciler(this.#table, this.#peer, (link, frame) => this.#post.sendAlone(link, frame));
    this.#self = new SelfRecord(crypto, options);
    this.#suspicions = new Suspicions({
      peer: this.#peer,
      id: this.#id,
      table: this.#table,
      watches: this.#watches,
      nowMs: () => this.#active(),
      broadcast: (body) => this.#post.broadcast(body),
      flood: (forMs) => this.#tree.flood(clock.monotonic() + forMs),
      speakUp: () => void this.#outdo(this.#self.signed.record.incarnation),
    });
    this.#tickedMs = clock.monotonic();
    this.#publishSelf();
    const timer = every(clock, TICK_MS, () => this.#tick());
    links.receive("members", (link, message) => this.#receive(link, message));
    this.#stops = [
      () => timer.cancel(),
      links.onUp((link) => this.#up(link)),
      links.onDown((link) => this.#down(link)),
    ];
    for (const link of links.all()) this.#up(link);
  }

  members(): readonly Member[] {
    return this.#table.members();
  }

  awake(): readonly Member[] {
    return this.#table.awake();
  }

  member(peer: PeerId): Member | undefined {
    return this.#table.get(peer)?.member;
  }

  byId(id: ShortId): Member | undefined {
    return this.#table.byId(id)?.member;
  }

  idOf(peer: PeerId): ShortId {
    return this.#table.get(peer)?.id ?? shortIdOf(this.#ports.crypto, peer);
  }

  gone(): readonly { readonly member: Member; readonly agoMs: number }[] {
    const nowMs = this.#active();
    return this.#table.gone().map((entry) => ({ member: entry.member, agoMs: nowMs - (entry.goneMs ?? nowMs) }));
  }

  onMember(listener: (change: MemberChange) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  update(patch: SelfPatch & { readonly addresses?: readonly Address[] }): void {
    this.#self.patch(patch);
    this.#publishSelf();
    // A page that is about to be frozen runs nothing after this.
    if (patch.state !== undefined) this.#post.flushAll();
    this.#post.settle();
  }

  roundTripMs(peer: PeerId): number | undefined {
    return this.#watches.get(peer)?.roundTripMs;
  }

  quietMs(peer: PeerId): number {
    return this.#watches.get(peer)?.quietMs(this.#active()) ?? Infinity;
  }

  heard(peer: PeerId): void {
    const watch = this.#watches.get(peer);
    if (watch === undefined) return;
    if (!watch.isProven) this.#table.heard(peer);
    watch.heard(this.#active());
    if (watch.accusedAt === undefined) return;
    watch.accusedAt = undefined;
    this.#setSilent(peer, false);
    // The silence is over. This node's suspicion no longer holds here, and the member's own word will end it elsewhere.
    this.#table.trust(peer, this.#active());
  }

  onSilence(listener: (change: SilenceChange) => void): Unsubscribe {
    return this.#silences.add(listener);
  }

  expectDown(peer: PeerId): void {
    this.#expected.add(peer);
  }

  doubt(peers: readonly PeerId[]): void {
    this.#suspicions.accuse(peers.flatMap((peer) => this.#table.get(peer) ?? []));
    this.#post.settle();
  }

  recordOf(peer: PeerId): Uint8Array | undefined {
    return this.#table.get(peer)?.signed.wire;
  }

  told(from: PeerId, record: Uint8Array): void {
    if (this.#hasStopped || this.#record(from, record) !== "spread") return;
    this.#tree.publish(encodeRecordBody(record), this.#ports.clock.monotonic(), { lazily: true });
    this.#post.settle();
  }

  leave(): void {
    this.#self.patch({ state: "left" });
    this.#publishSelf();
    this.#post.flushAll();
    this.stop();
  }

  stop(): void {
    this.#hasStopped = true;
    for (const stop of this.#stops) stop();
    this.#post.stop();
  }

  // Links

  #up(link: AdmittedLink): void {
    if (this.#watches.has(link.peer)) return;
    this.#expected.delete(link.peer);
    // Others may suspect a node that was out of touch without its knowledge, so it says that it is here.
    if (this.#suspicions.isAlone() && this.#table.living > 1) this.#outdo(this.#self.signed.record.incarnation);
    this.#watches.set(link.peer, new LinkWatch(this.#active()));
    this.#tree.linkUp(link.peer, this.#ports.clock.monotonic());
    this.#ports.time.linkUp(link.peer);
    this.#post.ping(link);
  }

  #down(link: AdmittedLink): void {
    const watch = this.#watches.get(link.peer);
    if (watch === undefined) return;
    this.#watches.delete(link.peer);
    this.#table.unheard(link.peer);
    this.#tree.linkDown(link.peer, this.#ports.clock.monotonic());
    this.#ports.time.linkDown(link.peer);
    this.#post.forget(link.peer);
    this.#sync.forget(link.peer);
    const wasExpected = this.#expected.delete(link.peer);
    if (this.#hasStopped) return;
    const entry = this.#table.get(link.peer);
    if (!wasExpected && watch.isProven && entry !== undefined && isAwake(entry.member.status))
      this.#vanished.add(link.peer);
    if (this.#suspicions.isAlone()) this.#suspicions.doubtAll();
    this.#post.settle();
  }

  #receive(link: AdmittedLink, message: Uint8Array): void {
    const frame = decode(frameSchema, message);
    const watch = this.#watches.get(link.peer);
    if (watch === undefined || this.#hasStopped) return;
    this.heard(link.peer);
    if (frame.rtt !== undefined && watch.roundTripMs === undefined) watch.measured(frame.rtt);
    const monotonic = this.#ports.clock.monotonic();
    if (frame.pong !== undefined) this.#measured(link.peer, watch, Math.max(0, monotonic - frame.pong[0]), frame.time);
    this.#tree.receive(link.peer, frame, monotonic, (body) => this.#admit(link, body));
    this.#reconcile(link, frame);
    const beat = frame.ping ?? frame.pong;
    if (beat !== undefined) this.#sync.compare(link, watch, beat[1], this.#active());
    if (frame.ping !== undefined) this.#pong(link, frame.ping[0], frame.asksTime === true);
    this.#publishSelf();
    this.#post.settle();
  }

  #pong(link: AdmittedLink, atMs: number, asksTime: boolean): void {
    this.#post.send(link, { pong: [atMs, this.#table.hash], ...(asksTime && { time: this.#ports.time.tell() }) });
  }

  #measured(peer: PeerId, watch: LinkWatch, roundTripMs: number, time: TimeTold | undefined): void {
    watch.measured(roundTripMs);
    if (time !== undefined) this.#ports.time.told(peer, time, roundTripMs);
  }

  #reconcile(link: AdmittedLink, frame: MemberFrame): void {
    const nowMs = this.#active();
    if (frame.digest !== undefined) this.#sync.answer(link, frame.digest, nowMs);
    if (frame.want !== undefined) this.#sync.supply(link, frame.want, nowMs);
    if (frame.gone !== undefined) this.#toldGone(link, frame.gone);
    if (frame.records === undefined) return;
    const stale: Row[] = [];
    for (const wire of frame.records) {
      const body = encodeRecordBody(wire);
      const verdict = this.#record(link.peer, wire, stale);
      // Most others know already: they ask if they don't.
      if (verdict === "spread") this.#tree.publish(body, this.#ports.clock.monotonic(), { lazily: true });
    }
    if (stale.length > 0) this.#sync.tellGone(link, stale);
  }

  /** The peer takes these members to be dead: they become suspects here, and hear of it. */
  #toldGone(link: AdmittedLink, packed: Uint8Array): void {
    const by = shortIdOf(this.#ports.crypto, link.peer);
    this.#suspicions.announce(
      by,
      this.#sync.rows(packed).filter((row) => this.#suspected(row, by)),
    );
  }

  // News

  #admit(link: AdmittedLink, bytes: Uint8Array): Verdict {
    const body = decodeBody(bytes);
    if (body.kind === "record") return this.#record(link.peer, body.wire);
    if (body.kind === "roll") return this.#suspicions.called() ? "spread" : "keep";
    let isNews = false;
    for (const row of body.rows) if (this.#suspected(row, body.by)) isNews = true;
    return isNews ? "spread" : "keep";
  }

  /** Takes in a record. `stale` collects members that are alive for the sender and gone here. */
  #record(from: PeerId, wire: Uint8Array, stale?: Row[]): Verdict {
    const unchecked = readRecord(wire);
    const { peer, incarnation } = unchecked.says;
    const nowMs = this.#active();
    const known = this.#table.get(peer);
    if (!this.#table.isNews(peer, incarnation, { from, state: unchecked.says.state })) {
      if (known?.member.status === "gone" && !this.#table.revive(known.id, incarnation, nowMs))
        stale?.push(rowOf(known));
      return "keep";
    }
    if (peer !== this.#peer && !this.#pace.allows(peer, nowMs)) return "keep";
    try {
      const signed = checkRecord(this.#ports.crypto, this.#swarm, unchecked, this.#ports.clock.when(), known?.signed);
      if (peer === this.#peer) return this.#otherSelf(unchecked);
      this.#pace.spend(peer, nowMs);
      this.#table.apply(signed, nowMs, from);
      if (from === peer || this.#watches.get(peer)?.isProven === true) this.#table.heard(peer);
      return "spread";
    } catch (error) {
      // A certificate may have run out by our clock and not by the sender's; a wrong signature is nobody's honest
      // error.
      if (!isStarfishError(error)) throw error;
      if (error.code === "malformed") this.#ports.links.misbehaved(from, error.message);
      return "fault";
    }
  }

  /** Takes in a suspicion. If it is about this node, this node answers. */
  #suspected(row: Row, by: ShortId): boolean {
    // Nobody speaks for this node.
    if (by === this.#id) return false;
    if (row.id !== this.#id) return this.#table.suspect(row, by, this.#active());
    if (row.incarnation !== this.#self.signed.record.incarnation) return false;
    this.#outdo(row.incarnation);
    return true;
  }

  /** A record with this node's identity has come that this node has not made: its former life has, or a twin. */
  #otherSelf(unchecked: UncheckedRecord): Verdict {
    const { says, lives } = unchecked;
    const own = { life: this.#self.life, startedAtMs: this.#self.signed.record.startedAtMs };
    const twin = twinOf(own, unchecked);
    if (equal(lives.life, own.life)) this.#self.begunAnew(this.#ports.random.bytes(LIFE_BYTES));
    else this.#self.rivalled(lives.life);
    // The twin that gives way says this too, because the other one learns of it that way.
    this.#outdo(says.incarnation);
    if (twin?.givesWay === true) {
      this.#giveWay(twin);
    } else if (twin !== undefined) {
      this.#ports.onTwin(twin);
    }
    return "keep";
  }

  /**
   * Other nodes take a link to one twin for a link to the other, so the twins' links close each other. Therefore this
   * node answers on every link for a while, and only then ends.
   */
  #giveWay(twin: Twin): void {
    this.#post.flushAll();
    if (this.#isGivingWay) return;
    this.#isGivingWay = true;
    this.#ports.clock.timer(GIVE_WAY_MS, () => {
      this.stop();
      this.#ports.onTwin(twin);
    });
  }

  #outdo(incarnation: number): Verdict {
    if (this.#self.outdo(incarnation)) this.#publishSelf();
    return "keep";
  }

  // Time

  #tick(): void {
    const monotonic = this.#ports.clock.monotonic();
    const gapMs = monotonic - this.#tickedMs;
    this.#activeMs += Math.min(gapMs, CREDIT_MS_MAX);
    this.#tickedMs = monotonic;
    const nowMs = this.#activeMs;
    this.#health.tick(gapMs, nowMs);
    this.#ports.time.tick();
    this.#watch(nowMs);
    this.#suspicions.check();
    this.#suspicions.checkRoll();
    const doubtful = this.#table.doubtful(DOUBTS_A_TICK);
    if (doubtful.length > 0) this.doubt(doubtful);
    for (const entry of this.#table.due(nowMs, this.#health.factor)) this.#suspicions.expire(entry);
    if (nowMs - this.#sweptMs > SWEEP_MS) {
      this.#sweptMs = nowMs;
      this.#table.sweep(nowMs, earliestOf(this.#ports.clock.when()));
      this.#pace.sweep(nowMs);
    }
    this.#tree.tick(monotonic);
    this.#publishSelf();
    this.#post.settle();
  }

  #watch(nowMs: number): void {
    const silent: Entry[] = [];
    for (const peer of this.#vanished) {
      const entry = this.#table.get(peer);
      if (!this.#watches.has(peer) && entry !== undefined && isAwake(entry.member.status)) silent.push(entry);
    }
    this.#vanished.clear();
    for (const link of this.#ports.links.all()) {
      const watch = this.#watches.get(link.peer);
      if (watch === undefined) continue;
      const action = watch.tick(nowMs, this.#health.factor);
      if (action === "nothing" && !this.#ports.time.isDue(link.peer))
        this.#post.send(link, this.#tree.take(link.peer, this.#ports.clock.monotonic()));
      else this.#post.ping(link, watch.roundTripMs);
      if (action === "silent") this.#silent(link, watch, silent);
    }
    if (silent.length > 0) this.#suspicions.lost(silent);
  }

  #silent(link: AdmittedLink, watch: LinkWatch, silent: Entry[]): void {
    if (!watch.isProven) {
      if (watch.quietMs(this.#active()) > UNPROVEN_MS) this.#close(link.peer);
      return;
    }
    const entry = this.#table.get(link.peer);
    if (entry === undefined || watch.accusedAt === undefined) {
      watch.accusedAt = entry?.signed.record.incarnation ?? 0;
      this.#setSilent(link.peer, true);
      if (entry !== undefined) silent.push(entry);
    } else if (entry.signed.record.incarnation > watch.accusedAt && watch.quietMs(this.#active()) > BROKEN_MS) {
      // It lives, but not on this link.
      this.#close(link.peer);
    }
  }

  #setSilent(peer: PeerId, isSilent: boolean): void {
    this.#tree.linkSilent(peer, isSilent, this.#ports.clock.monotonic());
    this.#silences.emit({ peer, isSilent });
  }

  // Helpers

  #changed(change: MemberChange): void {
    const { member, before } = change;
    const { peer } = member.record;
    if (member.status !== before) {
      this.#ports.log.write("debug", "member", { peer, name: member.record.name, status: member.status, before });
    }
    if (member.status === "gone" && !member.isSelf) this.#close(peer);
    this.#listeners.emit(change);
  }

  #close(peer: PeerId): void {
    const link = this.#ports.links.get(peer);
    if (link === undefined) return;
    this.#expected.add(peer);
    void link.close();
  }

  #publishSelf(): void {
    const signed = this.#self.take(this.#active(), this.#table.living);
    if (signed === undefined) return;
    this.#table.apply(signed, this.#active());
    this.#post.broadcast(encodeRecordBody(signed.wire));
  }

  #active(): number {
    return this.#activeMs + Math.min(this.#ports.clock.monotonic() - this.#tickedMs, CREDIT_MS_MAX);
  }
}
